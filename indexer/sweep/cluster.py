"""Tasks done by a Dask cluster, whoever of it dies meanwhile.

The market lies where every worker sees it, and is mapped from there; or it is sent to the workers
once, and never with a task. A task whose worker dies goes to another; one that several die of is
done here; a scheduler that comes back is given what is left.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from importlib.util import find_spec
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from indexer.errors import MissingInputError, TryAgainError, UsageError, not_installed
from indexer.market.excerpt import MappedMarket
from indexer.sweep.perform import Place, Task, mapped, perform, sees

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 60.0  # seconds without a scheduler, or without a worker
AHEAD = 2000  # tasks the scheduler knows of at a time: each takes about a kilobyte of it
_PAUSE = 0.5  # seconds between two looks at a scheduler
_ANSWER = 30.0  # seconds for which a worker is asked for a result that it has

Done = Iterator[tuple[Task, list[bytes]]]
_Market = MappedMarket | None


def on_cluster(tasks: Sequence[Task], place: Place, address: str) -> Done:
    """Yield tasks as workers finish them.

    Raises
    ------
    MissingInputError, MarketDataError
        If the market cannot be read, or dask is not installed.
    UsageError
        If dask has no certificates for an address of tls.
    TryAgainError
        If the cluster cannot be reached, or has no worker, for a minute; or as `perform` does.
    """
    if find_spec("distributed") is None:
        raise not_installed("distributed", "dist")
    left = {task.keys[0]: task for task in tasks}
    held: _Market = None  # what is sent, where a worker cannot see the folder
    seen = time.monotonic()
    while left:
        try:
            with _client(address) as client:
                held = held or _sent(client, place)
                for task, results in _through(client, list(left.values()), place, held):
                    del left[task.keys[0]]
                    seen = time.monotonic()
                    yield task, results
        except MissingInputError:  # a worker that joined later does not see the folder
            if held is not None:
                raise
            held = mapped(place)
        except (OSError, CancelledError) as error:
            if time.monotonic() - seen > PATIENCE:
                reason = f"no scheduler with a worker for {PATIENCE:g} s"
                raise TryAgainError(address, reason) from error
            time.sleep(_PAUSE)


def _client(address: str) -> "Client":
    from distributed import Client, Security  # noqa: PLC0415 (optional, and slow)

    if address.startswith("tls://"):  # a client made without leaves threads behind that complain
        found = Security().get_connection_args("client")["ssl_context"]
        if found is None:
            message = "dask has no certificates for it: set distributed.comm.tls, or use tcp://"
            raise UsageError(address, message)
    return Client(address, timeout=10, set_as_default=False)


def _sent(client: "Client", place: Place) -> _Market:
    """Return the market if there is a worker that cannot map it from its folder."""
    client.wait_for_workers(1, timeout=10)
    return None if all(client.run(sees, place).values()) else mapped(place)


def _through(client: "Client", tasks: Sequence[Task], place: Place, held: _Market) -> Done:
    """Yield tasks as they are done; a connection that is lost raises."""
    from distributed.scheduler import KilledWorker  # noqa: PLC0415

    # Scattered once: what goes with a task is a reference to it.
    market: Any = None if held is None else client.scatter(held, broadcast=True, hash=False)
    waiting, running = iter(tasks), dict[Any, Task]()
    done: SimpleQueue[Any] = SimpleQueue()

    def submit(count: int) -> None:
        for task in islice(waiting, count):
            future = client.submit(perform, place, task, market, pure=False)
            running[future] = task
            future.add_done_callback(done.put)

    submit(AHEAD)
    while running:
        try:
            future = done.get(timeout=_PAUSE)
        except Empty:
            if client.status != "running":
                raise CancelledError from None
            continue
        task = running.pop(future)
        if future.status not in {"finished", "error"}:
            raise CancelledError
        error = future.exception(timeout=_ANSWER) if future.status == "error" else None
        if error is not None and not isinstance(error, KilledWorker):
            raise error
        yield task, perform(place, task) if error else future.result(timeout=_ANSWER)
        submit(1)
