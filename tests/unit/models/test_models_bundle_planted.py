"""Bundles that somebody planted: they are refused, and nothing in them is run, written or unfolded."""

import io
import json
import pickle
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE

from models.archive import DIGEST, Arrays, DamagedBundle, pack, unpack
from models.bundle import Bundle
from models.bundles import read_bundle
from models.reward_model import RewardModel
from models.serving import ServedHeads
from models.set_bundle import SetBundle

READERS: dict[str, Callable[[bytes], Any]] = {
    "read_bundle": read_bundle,
    "Bundle": Bundle.from_bytes,
    "SetBundle": SetBundle.from_bytes,
    "RewardModel": RewardModel.from_bytes,
    "ServedHeads": ServedHeads.of_bytes,
}
"""Everything that takes a bundle's bytes."""


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._file,)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "sprung")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which nothing but what a test puts there may be afterwards."""
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def arrays() -> dict[str, Any]:
    """Those of a bundle that is as it should be."""
    return dict(Bundle.from_priors(("ham", "spam"), {"crowd": 0.8}).arrays())


def archived(members: Arrays, method: int = zipfile.ZIP_STORED, **raw: bytes) -> bytes:
    """A zip with the right digest; names are taken as they are, `raw` members too."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, array in {**members, DIGEST: unpacked_digest(members)}.items():
            held = io.BytesIO()
            np.save(held, array, allow_pickle=True)
            archive.writestr(f"{name}.npy", held.getvalue())
        for name, content in raw.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def unpacked_digest(members: Arrays) -> Any:
    plain = {name: array for name, array in members.items() if array.dtype != object}
    with np.load(io.BytesIO(pack(plain))) as file:
        return file[DIGEST]


def refused(data: bytes, words: str) -> None:
    for name, read in READERS.items():
        with pytest.raises(DamagedBundle, match=words):
            pytest.fail(f"{name} took it: {read(data)!r}")


@pytest.mark.parametrize("name", ["edges", "extra"])
def test_an_array_of_objects_is_not_unpickled(trap: Trap, tmp_path: Path, name: str) -> None:
    planted = arrays() | {name: np.array([trap], dtype=object)}
    refused(archived(planted), "Object arrays cannot be loaded")
    assert not (tmp_path / "sprung").exists()
    with np.load(io.BytesIO(archived(planted)), allow_pickle=True) as file:
        file[name]
    assert (tmp_path / "sprung").exists(), "the trap works"


def test_a_pickle_is_not_unpickled(trap: Trap, tmp_path: Path) -> None:
    refused(pickle.dumps(trap), "no bundle")
    refused(archived(arrays(), extra=pickle.dumps(trap)), "digest")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "name", ["../../planted", "/tmp/planted", "..\\planted", "a/../planted", "planted.pkl"]
)
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written(
    name: str, tmp_path: Path, here: Path
) -> None:
    refused(archived(arrays() | {name: np.zeros(3)}), "it holds .*planted.* no name of ours")
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["a", "b", "c"]
    assert not Path("/tmp/planted.npy").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_name_that_stands_twice_is_refused() -> None:
    held = io.BytesIO()
    np.save(held, np.zeros(1))
    refused(archived(arrays(), edges=held.getvalue()), "it holds 'edges'.* twice")


def test_what_would_unfold_is_refused() -> None:
    bomb = archived(arrays() | {"extra": np.zeros(50_000_000, np.uint8)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    refused(bomb, "it is compressed")


def test_an_array_that_says_it_is_larger_than_anything_is_refused_at_once() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)}
    )
    started = time.monotonic()
    refused(archived(arrays(), extra=header.getvalue()), "no bundle")
    assert time.monotonic() - started < 5.0 * PATIENCE


def test_parts_that_do_not_fit_are_refused_whatever_the_digest_says() -> None:
    whole = arrays()
    about = json.loads(whole["about"].tobytes())
    for broken in (
        {name: array for name, array in whole.items() if name != "calibration"},
        whole | {"about": np.frombuffer(b"[" * 100_000, np.uint8)},
        whole | {"about": np.frombuffer(b"[1, 2]", np.uint8)},
        whole | {"about": np.frombuffer(json.dumps(about | {"members": 3}).encode(), np.uint8)},
        whole | {"priors": np.zeros(0)},
    ):
        with pytest.raises(DamagedBundle, match="bundle"):
            read_bundle(pack(broken))


def test_what_we_write_is_taken() -> None:
    data = archived(arrays())
    assert read_bundle(data).to_bytes() == read_bundle(pack(arrays())).to_bytes()
    assert unpack(data).keys() == arrays().keys()
