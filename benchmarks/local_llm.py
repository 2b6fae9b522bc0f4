"""SmolLM2-135M-Instruct as an annotator of YouTube comments: accuracy, AUC, calibration, seconds and tokens.

Reads youtube_spam_lf.csv in the folder that LABELLOOP_DATA names; needs the extra `local-llm`. Every comment
is asked about with the same four examples, which are none of the items; the label is the likelier first token
of the two class names, its chance their shares. The prompt's beginning is the same each time, so that the
server has it in its cache. What its votes are worth beside ten labeling functions: the pool's posterior with
them and without, at several numbers of known labels, paired over draws of these.
"""

import argparse
import csv
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.label_models import credit, draw_gold
from daemon.adapters.llm_server import LlmServer, running
from daemon.adapters.starting import free_port
from labeling_functions.llm.calls import endpoint_model
from labeling_functions.llm.chat_model import ChatModel, ChatReply, ChatRequest, Message
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.local_server import MODEL
from labeling_functions.llm.symbols import N_BINS, symbols
from labeling_functions.task import ABSTAIN
from models.arrays import F8, I8, UNKNOWN
from models.evaluation import log_loss
from models.label_model.pool import Pool
from models.votes import Votes

LABELS = ("spam", "ham")
ASK = (
    "Decide whether a comment under a music video is spam (advertises something) or ham (is about the video)."
)
EXEMPLARS = (
    ("Check out my new channel and subscribe please!", "spam"),
    ("This song never gets old, I love it", "ham"),
    ("Make money from home, visit http://example.com now", "spam"),
    ("Who is still listening to her in 2015?", "ham"),
)
TOP = 20
GOLDS = (20, 50, 200)
DRAWS = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way of asking gave.

    Attributes:
        chances: (n,) probability of spam.
        truth: (n,) whether it is spam.
        seconds: (n,) of each answer.
        tokens: in and out, all together.
    """

    chances: F8
    truth: F8
    seconds: F8
    tokens: tuple[int, int]


def question(text: str) -> ChatRequest:
    """The examples as turns of a conversation, then the comment."""
    turns = [Message("system", ASK)]
    for example, label in EXEMPLARS:
        turns += [Message("user", f"Comment: {example}"), Message("assistant", label)]
    turns.append(Message("user", f"Comment: {text}"))
    return ChatRequest(MODEL, tuple(turns), max_tokens=1, top_logprobs=TOP)


def chance_of_spam(reply: ChatReply) -> float:
    """Share of the first tokens that begin `spam` among those that begin either label; 0.5 if none does."""
    mass = dict.fromkeys(LABELS, 0.0)
    for token, logprob in reply.tokens[0][0].others.items():
        begun = token.strip().lower()
        for label in LABELS:
            if begun and label.startswith(begun):
                mass[label] += math.exp(logprob)
    total = sum(mass.values())
    return mass["spam"] / total if total else 0.5


def measure(model: ChatModel, rows: list[dict[str, str]]) -> Measured:
    """Ask about every comment, one after the other."""
    model.ask(question("warm up"))
    replies = [model.ask(question(row["text"])) for row in rows]
    return Measured(
        chances=np.array([chance_of_spam(reply) for reply in replies]),
        truth=np.array([float(row["label"] == "spam") for row in rows]),
        seconds=np.array([reply.seconds for reply in replies]),
        tokens=(sum(reply.tokens_in for reply in replies), sum(reply.tokens_out for reply in replies)),
    )


def functions_of(rows: Sequence[Mapping[str, str]]) -> Votes:
    """Of the ten labeling functions that the file holds; 0 is spam, 1 ham."""
    codes = {"": ABSTAIN, **{label: index for index, label in enumerate(LABELS)}}
    matrix = np.array([[codes[row[f"lf{place}"]] for place in range(10)] for row in rows])
    return Votes.from_dense(matrix, [f"function:lf{place}@0" for place in range(10)], len(LABELS))


def model_votes(chances: F8) -> Votes:
    """Of the language model, by label and confidence bin, as its tier's answers come to the label model."""
    labels = np.where(chances > 0.5, 0, 1)
    said = symbols(labels.tolist(), np.maximum(chances, 1 - chances).tolist(), len(LABELS))
    return Votes.of_one("llm:local/smollm2@0", said, len(LABELS) * N_BINS)


def print_worth(got: Measured, functions: Votes) -> None:
    """The pool's posterior of items whose label is not known, with the model's votes and without."""
    truth = np.where(got.truth > 0, 0, 1)
    both = Votes.concat_annotators(functions, model_votes(got.chances))
    print(
        f"{'known labels':14}{'accuracy without, with':>26}{'log-loss without, with':>26}   gain in log-loss"
    )
    for n_gold in GOLDS:
        draws = [_draw(functions, both, truth, draw_gold(truth, n_gold, seed)) for seed in range(DRAWS)]
        figures = np.array(draws)
        mean, gain = figures.mean(axis=0), figures[:, 2] - figures[:, 3]
        half = 1.96 * gain.std(ddof=1) / DRAWS**0.5
        cells = f"{mean[0]:13.3f}{mean[1]:13.3f}{mean[2]:13.3f}{mean[3]:13.3f}"
        print(f"{n_gold:14}{cells}   {gain.mean():+.3f} ± {half:.3f}")


def _draw(functions: Votes, both: Votes, truth: I8, gold: I8) -> tuple[float, float, float, float]:
    """Accuracy and log-loss, each without and with the model's votes, on items that are not known."""
    rest = gold == UNKNOWN
    without, with_it = (
        Pool().fit(votes, len(LABELS), gold).predict_proba(votes)[rest] for votes in (functions, both)
    )
    shares = [float(credit(posterior, truth[rest]).mean()) for posterior in (without, with_it)]
    losses = [float(log_loss(posterior, truth[rest]).mean()) for posterior in (without, with_it)]
    return shares[0], shares[1], losses[0], losses[1]


def print_figures(got: Measured) -> None:
    """Accuracy at 0.5 and at the median (which needs no threshold), AUC, and what it took."""
    from sklearn.metrics import log_loss, roc_auc_score

    halves, bars = got.chances > 0.5, got.chances > np.median(got.chances)
    accuracy, at_median = np.mean(halves == got.truth), np.mean(bars == got.truth)
    print(f"items {len(got.truth)}, spam {got.truth.mean():.2f}")
    print(f"accuracy {accuracy:.3f}, at the median {at_median:.3f}")
    print(f"AUC {roc_auc_score(got.truth, got.chances):.3f}, log-loss {log_loss(got.truth, got.chances):.3f}")
    total = got.seconds.sum()
    print(f"seconds an answer: median {np.median(got.seconds):.2f}, p90 {np.quantile(got.seconds, 0.9):.2f}")
    print(f"tokens: in {got.tokens[0]}, out {got.tokens[1]}; {sum(got.tokens) / total:.0f} a second")


def comments(about: str | None, items: int) -> list[dict[str, str]]:
    """Rows of the file, drawn as the command line says: `--items` (so many by default) and `--seed`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=items)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if not (folder := os.environ.get("LABELLOOP_DATA")):
        sys.exit("set LABELLOOP_DATA to the folder of youtube_spam_lf.csv")
    with (Path(folder) / "youtube_spam_lf.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen = np.random.default_rng(given.seed).choice(len(rows), given.items, replace=False)
    return [rows[at] for at in chosen]


def main() -> None:
    """Start the model, ask, print."""
    rows = comments(__doc__, 600)
    with tempfile.TemporaryDirectory() as logs:
        started = time.monotonic()
        with running(LlmServer(free_port()), Path(logs) / "server.log") as server:
            print(f"ready after {time.monotonic() - started:.1f} s")
            model = endpoint_model("local", EndpointSettings(base_url=server.base_url), threading.Event())
            got = measure(model, rows)
    print_figures(got)
    print_worth(got, functions_of(rows))


if __name__ == "__main__":
    main()
