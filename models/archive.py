"""Named arrays as bytes, with a digest over all of them; nothing is ever pickled."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

DIGEST = "digest"


class DamagedBundle(ValueError):
    """Bytes that are not a bundle, or no longer the one that was written."""


def pack(arrays: Arrays) -> bytes:
    """An npz file of the arrays and their digest; equal arrays give equal bytes."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays, **{DIGEST: _digest(arrays)})
    return file.getvalue()


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """What `pack` was given, whoever wrote the bytes: nothing in them is run, and none of it is written.

    Raises DamagedBundle.
    """
    try:
        _refuse_foreign(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        RuntimeError,  # of zipfile: "encrypted", when a flag was flipped; NotImplementedError is one
        zipfile.BadZipFile,
        zlib.error,
        MemoryError,  # an array that says it is larger than anything
    ) as error:
        raise DamagedBundle(f"bundle: {len(data)} bytes that are no bundle ({error})") from error
    stored = arrays.pop(DIGEST, None)
    if stored is None or not np.array_equal(stored, _digest(arrays)):
        raise DamagedBundle("bundle: its contents do not match its digest; it was damaged or changed")
    return arrays


def _refuse_foreign(data: bytes) -> None:
    """Raise ValueError for what `pack` never writes: odd or doubled names, and members that may unfold."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = file.infolist()
    names = [member.filename.removesuffix(".npy") for member in members]
    odd = [name for name in names if not name.isidentifier() or names.count(name) > 1]
    if odd:
        raise ValueError(f"it holds {odd[0]!r}, which is no name of ours, or stands there twice")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is compressed, which none of ours is")


def _digest(arrays: Arrays) -> NDArray[np.uint8]:
    """SHA-256 over names, types, shapes and contents."""
    whole = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        whole.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        whole.update(array.tobytes())
    return np.frombuffer(whole.digest(), np.uint8)
