"""Who votes: annotators by kind, name and version, and the sets of functions that vote together."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select, tuple_

from daemon.adapters.store.bulk import among, upsert
from daemon.adapters.store.codec import i4
from daemon.adapters.store.schema import annotators, function_sets
from daemon.core.rows import FunctionSet, FunctionVersion
from daemon.core.states import AnnotatorKind

Identity = tuple[AnnotatorKind, str, str, str | None]
"""Kind, name, version, tier."""


def register(connection: Connection, wanted: Sequence[Identity]) -> list[int]:
    """Ids of these annotators, made if absent; a known one moves to the tier that is given."""
    if not wanted:
        return []
    rows = [
        {"kind": kind.value, "name": name, "version": version, "tier": tier}
        for kind, name, version, tier in sorted(wanted, key=lambda identity: identity[:3])
    ]
    key = ["kind", "name", "version"]
    connection.execute(upsert(connection, annotators, key, ["tier"]), rows)
    keys = [(kind.value, name, version) for kind, name, version, _ in wanted]
    query = select(annotators).where(
        tuple_(annotators.c.kind, annotators.c.name, annotators.c.version).in_(keys)
    )
    ids = {(row.kind, row.name, row.version): int(row.id) for row in connection.execute(query)}
    return [ids[key] for key in keys]


def register_functions(connection: Connection, functions: Sequence[FunctionVersion]) -> FunctionSet:
    """The set of these functions, in this order; made if absent."""
    wanted = [(AnnotatorKind.FUNCTION, function.name, function.version, None) for function in functions]
    ids = register(connection, wanted)
    packed = np.array(ids, "<i4").tobytes()
    connection.execute(upsert(connection, function_sets, ["annotators"], []), {"annotators": packed})
    query = select(function_sets.c.id).where(function_sets.c.annotators == packed)
    return FunctionSet(int(connection.execute(query).scalar_one()), tuple(ids))


def members(connection: Connection, sets: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Annotator ids of each set, in the order of its columns."""
    query = select(function_sets).where(among(connection, function_sets.c.id, sets))
    return {row.id: tuple(i4(row.annotators).tolist()) for row in connection.execute(query)}


def functions_of(connection: Connection, functions: int) -> list[FunctionVersion]:
    """The functions of one set, in the order of its columns; KeyError if there is no such set."""
    ids = members(connection, [functions])[functions]
    query = select(annotators).where(among(connection, annotators.c.id, ids))
    found = {row.id: FunctionVersion(row.name, row.version) for row in connection.execute(query)}
    return [found[id_] for id_ in ids]
