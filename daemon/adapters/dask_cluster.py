"""Work spread over a Dask cluster. The library is the extra `dask`."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from secrets import token_hex
from typing import Any

from daemon.core.errors import PartAway, SetupProblem

CONNECT_SECONDS = 15
WORKER_SECONDS = 30
AHEAD = 2
"""Tasks under way for each thread of the cluster: one works, one waits, and no more is held in memory."""


def results(
    address: str, work: Callable[..., Any], shared: object, tasks: Iterable[tuple[Any, ...]]
) -> Iterator[Any]:
    """`work(shared, *task)` of every task, as they end.

    Dask runs a task again whose worker died. `work` must be importable on the workers, `shared` and the
    tasks be picklable; few tasks are under way at any time.

    Raises:
        SetupProblem: Dask is not installed, or workers die of a task again and again.
        PartAway: the scheduler cannot be reached, or has no worker.
    """
    distributed = _library()
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PartAway(f"replay: --dask: no scheduler at {address} answers ({error})") from error
    name = f"labelloop-{token_hex(8)}"
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as error:
            raise PartAway(
                f"replay: --dask: the cluster at {address} has no worker; start some with `dask worker`"
            ) from error
        client.register_plugin(_keeper(distributed, name, shared), name=name)
        try:
            yield from _spread(distributed, client, partial(_call, work, name), iter(tasks))
        except distributed.scheduler.KilledWorker as error:
            raise SetupProblem(
                f"replay: --dask: workers died of one task again and again: {error}"
            ) from error
        finally:
            client.unregister_worker_plugin(name)


_kept: dict[str, object] = {}
"""What tasks share, on a worker."""


def _call(work: Callable[..., Any], name: str, *task: Any) -> Any:
    return work(_kept[name], *task)


def _keeper(distributed: Any, name: str, shared: object) -> Any:
    """Gives each worker what tasks share, those too that come later or are started again."""

    class Keeper(distributed.WorkerPlugin):  # type: ignore[misc]  # the library is untyped here
        def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
            keep(name, shared)

        def teardown(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
            forget(name)

    return Keeper()


def keep(name: str, shared: object) -> None:
    """On a worker: have it there for tasks."""
    _kept[name] = shared


def forget(name: str) -> None:
    """On a worker: all tasks are done."""
    _kept.pop(name, None)


def _spread(
    distributed: Any, client: Any, call: Callable[..., Any], tasks: Iterator[tuple[Any, ...]]
) -> Iterator[Any]:
    def more(count: int) -> list[Any]:
        return [client.submit(call, *task, pure=False) for task in islice(tasks, count)]

    running = distributed.as_completed(more(_room(client)), loop=client.loop)
    for future in running:
        result = future.result()
        future.release()
        for one in more(max(1, _room(client) - running.count())):
            running.add(one)
        yield result


def _room(client: Any) -> int:
    """Tasks that may be under way: as workers come and go, so does this."""
    threads: int = sum(client.nthreads().values())
    return AHEAD * max(1, threads)


def _library() -> Any:
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise SetupProblem("replay: --dask needs Dask: install labelloop[dask]") from error
    return distributed
