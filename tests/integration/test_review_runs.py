"""From an item's bundle to its training run in MLflow."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket

import pytest
from review_house import House
from sqlalchemy import insert, update
from starlette.testclient import TestClient
from training_runs import CLASSES, example_run

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.mlflow_run_pages import MlflowRunPages
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_settings import MlflowSettings
from daemon.adapters.store.schema import bundles, items
from daemon.core.errors import RegistryUnavailable
from daemon.review.app import create_app
from labeling_functions.task import Task

HERE = "http://127.0.0.1"
RUN = "0a" * 16


@dataclass(frozen=True)
class Pages:
    """Runs of which one is known."""

    down: bool = False

    def address(self, run: str) -> str | None:
        if self.down:
            raise RegistryUnavailable("MLflow at http://there: nothing listens there")
        return f"http://there/{run}" if run == RUN else None


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.ask(["win now"])
    row = {"digest": "", "data": b"", "current": False, "trained_at": 0, "answers_seen": 0}
    with made.database.write() as connection:
        connection.execute(insert(bundles), [{**row, "run_id": RUN}, {**row, "run_id": None}])
    yield made
    made.close()


def client_of(house: House, runs: Pages | None) -> TestClient:
    app = create_app(replace(house.services, runs=runs))
    return TestClient(app, base_url=HERE, follow_redirects=False)


def decided_by(house: House, bundle: int) -> None:
    with house.database.write() as connection:
        connection.execute(update(items).values(bundle=bundle))


def test_the_item_page_leads_to_the_run_of_its_bundle(house: House) -> None:
    decided_by(house, 1)
    client = client_of(house, Pages())
    assert client.get("/api/items/item-00").json()["runs"] == {"1": RUN}
    assert f'href="/runs/{RUN}"' in client.get("/items/item-00").text
    led = client.get(f"/runs/{RUN}")
    assert (led.status_code, led.headers["location"]) == (303, f"http://there/{RUN}")


def test_a_bundle_without_a_run_or_a_place_for_it_has_no_link(house: House) -> None:
    decided_by(house, 2)
    assert "/runs/" not in client_of(house, Pages()).get("/items/item-00").text
    decided_by(house, 1)
    assert "/runs/" not in client_of(house, None).get("/items/item-00").text


def test_a_run_that_is_not_there_and_a_server_that_is_down_have_pages(house: House) -> None:
    gone = client_of(house, Pages()).get("/runs/else")
    assert (gone.status_code, "There is no training run else" in gone.text) == (404, True)
    down = client_of(house, Pages(down=True)).get(f"/runs/{RUN}")
    assert (down.status_code, "nothing listens there" in down.text) == (503, True)


def test_mlflow_tells_where_a_run_is_shown(mlflow_server: MlflowServer) -> None:
    registry = MlflowRegistry(MlflowSettings(mlflow_server.uri), Task("spam run pages", CLASSES))
    logged = registry.log_training(example_run())
    pages = MlflowRunPages(mlflow_server.uri)
    address = pages.address(logged.run_id)
    assert address is not None
    assert logged.url.startswith(address)
    assert pages.address("0b" * 16) is None
    assert pages.address("../../x") is None


def test_a_server_that_is_not_there_is_said_so() -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(RegistryUnavailable, match="nothing listens there"):
        MlflowRunPages(f"http://127.0.0.1:{port}").address(RUN)
