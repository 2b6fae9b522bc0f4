"""What `labelloop annotate` asked and was told can be read in MLflow; if MLflow dies, nothing waits."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from annotate_house import house_of
from mlflow_fixtures import end_group, mlflow_server, running_mlflow
from patience import ANSWER_SECONDS
from rows_for_tests import all_rows

from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_trace_pages import MlflowTracePages
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import answers, calls, processes
from labeling_functions.llm.scripted_server import Asked, ScriptedServer

__all__ = ["mlflow_server"]


def answer(asked: Asked) -> str:
    """Item 7 is answered in no form at first, all others at once."""
    if "message number 7 " in asked.prompt and "An earlier answer" not in asked.prompt:
        return "no idea"
    return "spam" if "7" in asked.prompt.rsplit("message number", 1)[1] else "ham"


def read(uri: str, trace: str) -> dict[str, Any]:
    """A trace as MLflow tells it."""
    found = httpx.get(f"{uri}/api/3.0/mlflow/traces/get", params={"trace_id": trace}, timeout=ANSWER_SECONDS)
    return dict(found.raise_for_status().json()["trace"])


def found_by(uri: str, trace: dict[str, Any], item: str) -> list[str]:
    """Ids of the traces of an item, where this one is."""
    body = {
        "locations": [trace["trace_info"]["trace_location"]],
        "filter": f"tags.`labelloop.item` = '{item}'",
    }
    found = httpx.post(f"{uri}/api/3.0/mlflow/traces/search", json=body, timeout=ANSWER_SECONDS)
    return [one["trace_id"] for one in found.raise_for_status().json()["traces"]]


def said(span: dict[str, Any]) -> tuple[str, str]:
    """Prompt and answer of a call's span."""
    values = {pair["key"]: pair["value"] for pair in span["attributes"]}
    return str(values["mlflow.spanInputs"]), str(values["mlflow.spanOutputs"])


def test_prompt_and_answer_of_every_vote_can_be_read(
    mlflow_server: MlflowServer, database: Database, tmp_path: Path
) -> None:
    mlflow = f'uri: "{mlflow_server.uri}"'
    with ScriptedServer(answer) as server, house_of(tmp_path, database, server, mlflow=mlflow) as house:
        house.ask(12)
        process = house.start()
        house.until(lambda: len(house.answered()) == 12)
        house.end(process)
    pages = MlflowTracePages(mlflow_server.uri)
    for row in all_rows(database, answers):
        assert row.trace in (pages.address(row.trace) or "")
        trace = read(mlflow_server.uri, row.trace)
        spans = trace["spans"]
        text = f"message number {row.item[1:]} of many"
        assert all(text in said(span)[0] for span in spans[1:])
        assert ("spam" if row.labels == b"\1" else "ham") in said(spans[-1])[1]
        assert len(spans) == (3 if row.item == "i7" else 2), "the asking, and its calls"
        assert row.trace in found_by(mlflow_server.uri, trace, row.item)
        assert "tokenUsage" in str(trace["trace_info"])
        lines = [line for line in all_rows(database, calls) if line.trace == row.trace]
        assert len(lines) == len(spans) - 1
        assert {line.item for line in lines} == {row.item}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # MLflow knows nothing of it
def test_answers_go_on_when_mlflow_dies_and_losses_are_counted(database: Database, tmp_path: Path) -> None:
    with (
        ScriptedServer(answer) as server,
        running_mlflow(tmp_path / "mlflow") as (mlflow, mortal),
        house_of(tmp_path, database, server, mlflow=f'uri: "{mlflow.uri}"') as house,
    ):
        pages = MlflowTracePages(mlflow.uri)
        house.ask(20)
        process = house.start()
        house.until(lambda: len(house.answered()) == 20)
        first = [row.trace for row in all_rows(database, answers)]
        house.until(lambda: all(pages.address(trace) for trace in first))
        end_group(mortal, 0.0)
        house.ask(20, first=20)
        house.until(lambda: len(house.answered()) == 40)
        house.end(process)
        assert house.states() == {"answered": 40}
        (row,) = all_rows(database, processes, processes.c.kind == "annotate")
        assert json.loads(row.report)["traces_dropped"] == 20
        assert "20 traces were dropped" in house.log_of(process)
