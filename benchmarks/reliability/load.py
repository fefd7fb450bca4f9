"""How fast the server answers (B16): requests are sent on a schedule, whatever became of others.

The time of a request counts from when it was due, not from when a connection was free for it: a
server that stands still is charged for everybody who would have asked meanwhile.
"""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reliability import shown
from benchmarks.reliability.record import ROOT, Found
from benchmarks.reliability.served import COMMAND, SESSIONS, kept_ledger, served

CONNECTIONS = 32
COLD = 10.0  # seconds in which nearly all of some two hundred answers are asked for
PATIENCE = 30.0  # seconds after which no answer is waited for
STUDY = "compute-diffusion"  # published while the server is measured
PUBLISHED = ("--from", "2024-01-02", "--to", "2026-08-21")
SAMPLE = ROOT / "seeds" / "market"


@dataclass(slots=True)
class Load:
    """What became of requests.

    Attributes
    ----------
    seconds : time each took from when it was due
    wrong : one line for each that was not answered as it must be
    """

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Return the time within which a share of requests was answered, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection:
    """One connection that is kept open, and opened again where it was closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, target: str, tag: str = "") -> tuple[int, str]:
        """Return status and tag of an answer, after all of it has come.

        A server closes a connection that nothing is asked on for some seconds. Where that crosses
        a request, no byte of an answer comes, and it is sent again on a fresh connection, as every
        client does.
        """
        reused = self.streams is not None
        try:
            return await self._asked(target, tag)
        except (asyncio.IncompleteReadError, ConnectionResetError) as error:
            some = isinstance(error, asyncio.IncompleteReadError) and error.partial
            if not reused or some:
                raise
            return await self._asked(target, tag)

    async def _asked(self, target: str, tag: str) -> tuple[int, str]:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        reader, writer = self.streams
        known = f"If-None-Match: {tag}\r\n" if tag else ""
        writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{known}\r\n".encode())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status = int(head[9:12])
            names = dict(
                line.split(": ", 1) for line in head.lower().split("\r\n")[1:] if ": " in line
            )
            await reader.readexactly(int(names.get("content-length", 0)) if status != 304 else 0)
        except BaseException:
            self.close()
            raise
        return status, names.get("etag", "")

    def close(self) -> None:
        """Let go of the connection."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


def targets(seed: int) -> Iterator[str]:
    """Yield what readers ask for: mostly a year of an index, at times all of it.

    There are some two hundred different requests.
    """
    rng = random.Random(seed)  # noqa: S311
    days, ids = shown.days(SESSIONS), shown.ids(5)
    while True:
        id, at = rng.choice(ids), rng.randrange(SESSIONS - 250)
        kind = rng.random()
        if kind < 0.45:
            since = at // 125 * 125  # many ask for the same
            yield f"/v1/indices/{id}/levels?variant=price&from={days[since]}&to={days[since + 249]}"
        elif kind < 0.6:
            yield f"/v1/indices/{id}/constituents?date={rng.choice(days[-20:])}"
        elif kind < 0.7:
            yield f"/v1/studies/pair/signals?signal=gap&from={days[at // 125 * 125]}&limit=200"
        elif kind < 0.75:
            yield f"/v1/indices/{id}/levels?variant=price&limit=5000"
        else:
            yield rng.choice(
                ["/v1/indices", "/v1/studies", "/v1/status", "/healthz", "/", f"/v1/indices/{id}"]
            )


async def steady(port: int, rate: int, seconds: float, seed: int) -> Load:
    """Send so many requests a second on a schedule, and return what became of them."""
    load, free = Load(), asyncio.Queue[Connection]()
    for _ in range(CONNECTIONS):
        free.put_nowait(Connection(port))
    tags: dict[str, str] = {}
    began = time.perf_counter() + 0.1

    async def one(due: float, target: str) -> None:
        connection = await free.get()
        try:
            async with asyncio.timeout(PATIENCE):
                status, tag = await connection.get(target, tags.get(target, ""))
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:  # or no answer
            load.wrong.append(f"{target}: {error!r}")
        else:
            tags[target] = tag
            load.seconds.append(time.perf_counter() - due)
            if status not in (200, 304):
                load.wrong.append(f"{target}: {status}")
        free.put_nowait(connection)

    asked = targets(seed)
    async with asyncio.TaskGroup() as group:
        for n in range(int(rate * seconds)):
            due = began + n / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(due, next(asked)))
    while not free.empty():
        free.get_nowait().close()
    return load


async def saturated(port: int, seconds: float, seed: int) -> Load:
    """Ask again as soon as an answer has come, from a few connections at once."""
    load, until = Load(), time.perf_counter() + seconds

    async def reader(n: int) -> None:
        connection, asked = Connection(port), targets(seed + n)
        small = [
            target for target, _ in zip(asked, range(200), strict=False) if "5000" not in target
        ]
        while (began := time.perf_counter()) < until:
            status, _ = await connection.get(small[len(load.seconds) % len(small)])
            load.seconds.append(time.perf_counter() - began)
            if status != 200:
                load.wrong.append(f"status {status}")
        connection.close()

    await asyncio.gather(*(reader(n) for n in range(8)))
    return load


def measured(unit: Sequence[str], place: Path) -> Found:
    """Do a unit of B16: ``kind:run:rate:seconds:bar``.

    Kinds: ``steady`` and ``publish`` send at a rate and have a bar of milliseconds for 99 of 100;
    with ``publish`` a study is computed and published into the same ledger all the while. ``full``
    sends as fast as it can, and its bar is a rate. Before that requests come at the same rate until
    each answer has been made once: what those first ones took is told by itself.
    """
    kind, run = unit[:2]
    rate, seconds, bar = map(float, unit[2:])
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=place) as name, contextlib.ExitStack() as stack:
        server = stack.enter_context(served(Path(name), kept_ledger(place)))
        asyncio.run(steady(server.port, 20, 3, 0))  # what is compiled and read once
        cold = (
            asyncio.run(steady(server.port, int(rate), min(COLD, seconds), 0))
            if rate
            else Load([0.0])
        )
        if kind == "publish":
            stack.enter_context(_publishing(server.ledger, Path(name)))
        used = server.seconds
        if kind == "full":
            load = asyncio.run(saturated(server.port, seconds, int(run)))
        else:
            load = asyncio.run(steady(server.port, int(rate), seconds, int(run)))
        used, memory = server.seconds - used, server.memory
    figures = {
        f"{kind}_{run}_p50_ms": round(load.quantile(0.5), 2),
        f"{kind}_{run}_cold_p99_ms": round(cold.quantile(0.99), 2),
        f"{kind}_{run}_p99_ms": round(load.quantile(0.99), 2),
        f"{kind}_{run}_per_second": round(len(load.seconds) / seconds, 1),
        f"{kind}_{run}_cpu_ms_each": round(1e3 * used / len(load.seconds), 3),
        "max_memory_mib": round(memory / 2**20, 1),
    }
    wrong = [*cold.wrong, *load.wrong][:20]
    if kind == "full" and len(load.seconds) / seconds < bar:
        wrong.append(f"{kind} {run}: {len(load.seconds) / seconds:.0f} a second, wanted {bar:.0f}")
    if kind != "full" and load.quantile(0.99) > bar:
        wrong.append(f"{kind} {run}: 99 of 100 within {load.quantile(0.99):.1f} ms, not {bar:.0f}")
    return Found(len(load.seconds), tuple(wrong), time.perf_counter() - began, figures)


@contextlib.contextmanager
def _publishing(ledger: Path, folder: Path) -> Iterator[None]:
    """Publish years of a study into a ledger, and compute them again and again."""
    words = ("publish", STUDY, "--market", str(SAMPLE), *PUBLISHED)
    where = ("--ledger", f"sqlite:///{ledger}", "--out", str(folder / "out"))
    program = "import subprocess, sys\nwhile True: subprocess.run(sys.argv[1:])"
    process = subprocess.Popen(
        [COMMAND[0], "-c", program, *COMMAND, *words, *where],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def summary(figures: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Return the least and the median of what was measured in several runs, by what it is."""
    runs: dict[str, list[float]] = {}
    for name, value in figures.items():
        kind, _, rest = name.partition("_")
        if kind in ("steady", "publish", "full"):
            runs.setdefault(f"{kind}_{rest.partition('_')[2]}", []).append(value)
    return {name: (min(values), statistics.median(values)) for name, values in runs.items()}
