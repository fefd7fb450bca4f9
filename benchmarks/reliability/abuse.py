"""The server among requests made from its description, slow clients and hostile ones (B17)."""

import asyncio
import contextlib
import heapq
import multiprocessing
import os
import random
import re
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.reliability import shown
from benchmarks.reliability.load import Load, steady
from benchmarks.reliability.record import ROOT, Found
from benchmarks.reliability.served import SESSIONS, Served, kept_ledger, served

RULES = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("contract.py")
GROWTH = 20 << 20  # bytes a server may grow by
CLOSED_WITHIN = 15.0  # seconds in which a slow connection must be closed
OPENED_WITHIN = 5.0  # seconds over which slow ones are opened
ALL_AT_ONCE = 16
WARM = 2000  # hostile requests before a server's memory is looked at


def abused(unit: str, place: Path) -> Found:
    """Do a unit of B17.

    ``cases:seed:examples`` requests made from the API's description, ``slow:count:seconds:bar``
    connections that never finish while others ask, ``hostile:seed:count`` requests no client sends.
    """
    kind, *given = unit.split(":")
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(dir=place) as name,
        served(Path(name), kept_ledger(place)) as server,
    ):
        before = server.digest()
        found = _KINDS[kind](server, *map(int, given))
        wrong = list(found.wrong)
        if server.process.poll() is not None:
            wrong.append(f"{unit}: the server ended with {server.process.returncode}")
        if server.digest() != before:
            wrong.append(f"{unit}: the ledger has changed")
    return Found(found.n, tuple(wrong), time.perf_counter() - began, found.figures)


def _cases(server: Served, seed: int, examples: int) -> Found:
    """Let a tool make requests, right ones and wrong ones, and check answers by all its rules."""
    command = (
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
        *("--config-file", str(RULES), "run"),
        *(f"http://127.0.0.1:{server.port}/openapi.json", "--checks", "all", "--no-color"),
        *("--max-examples", str(examples), "--seed", str(seed)),
    )
    hooked = {**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS), "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=hooked, check=False
        )
    made = re.search(r"(\d+) generated", done.stdout)
    if done.returncode == 0 and made:
        return Found(int(made[1]))
    told = re.findall(r"^- (.*)$", done.stdout, re.MULTILINE) or done.stdout.splitlines()[-5:]
    return Found(int(made[1]) if made else 1, tuple(f"cases {seed}: {line}" for line in told))


def _slow(server: Served, count: int, seconds: int, bar: int) -> Found:
    """Keep so many connections open that never finish, and ask honestly beside them."""
    here, there = multiprocessing.Pipe()
    start = multiprocessing.get_context("spawn").Process
    process = start(target=dribble, args=(server.port, count, there), daemon=True)

    async def both() -> Load:
        await steady(server.port, 50, 3, 0)
        process.start()  # apart: who asks honestly must not wait for who does not
        await asyncio.sleep(max(seconds / 4, 1.5 * OPENED_WITHIN))  # until all are there
        return await steady(server.port, 200, seconds, 1)

    load = asyncio.run(both())
    here.send("enough")
    lives = here.recv()
    process.join()
    wrong, p99, longest = load.wrong[:20], load.quantile(0.99), max(lives, default=0.0)
    if not lives or longest > CLOSED_WITHIN:
        wrong.append(f"slow: {len(lives)} closed, the last after {longest:.1f} s")
    if p99 > bar:
        wrong.append(f"slow: 99 of 100 honest requests within {p99:.1f} ms, not {bar}")
    figures = {"slow_p99_ms": round(p99, 2), "slow_closed": len(lives), "max_life_s": longest}
    return Found(count + 200 * seconds, tuple(wrong), 0.0, figures)


def dribble(port: int, count: int, told: Connection) -> None:
    """Send requests a byte a second, again and again, until told; tell how long each was suffered.

    They are opened evenly over some seconds, and each is opened again when it has been closed.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    began, lives = time.perf_counter(), list[float]()
    waiting = selectors.DefaultSelector()
    due: list[tuple[float, int, socket.socket | None, float]] = [
        (began + OPENED_WITHIN * n / count, n, None, 0.0) for n in range(count)
    ]
    while not told.poll():
        now = time.perf_counter()
        while due and due[0][0] <= now:
            _, n, line, since = heapq.heappop(due)
            if line is None:
                line, since = socket.create_connection(("127.0.0.1", port)), time.perf_counter()
                waiting.register(line, selectors.EVENT_READ, since)
            if line.fileno() >= 0:
                with contextlib.suppress(OSError):
                    line.send(b"a" if since < now else b"GET / HTTP/1.1\r\nX: ")
                heapq.heappush(due, (now + 1.0, n, line, since))
            else:  # closed meanwhile
                heapq.heappush(due, (now, n, None, 0.0))
        for key, _ in waiting.select(0.01):
            with contextlib.suppress(OSError):
                if key.fileobj.recv(4096):  # type: ignore[union-attr]
                    continue
            lives.append(round(time.perf_counter() - key.data, 2))
            waiting.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]
    told.send(lives)


def _hostile(server: Served, seed: int, count: int) -> Found:
    """Send what no client sends; nothing may fail inside, grow, or stop answering."""
    wrong: list[str] = []
    statuses: dict[int, int] = {}

    async def one(asked: Iterator[tuple[bytes, bool]]) -> None:
        for request, whole in asked:
            for status in await _sent(server.port, request, whole=whole):
                statuses[status] = statuses.get(status, 0) + 1
                if status >= 500:
                    wrong.append(f"{status}: {request[:200]!r}")

    async def all_at_once(asked: Iterator[tuple[bytes, bool]]) -> None:
        await asyncio.gather(*(one(asked) for _ in range(ALL_AT_ONCE)))

    asyncio.run(_fill(server.port))
    asyncio.run(all_at_once(_requests(-seed, WARM)))
    before = server.memory
    asyncio.run(all_at_once(_requests(seed, count)))
    grown = server.memory - before
    if grown > GROWTH:
        wrong.append(f"hostile {seed}: grew by {grown / 2**20:.1f} MiB")
    if 200 not in statuses or not set(statuses) & {400, 404, 405, 422, 431}:
        wrong.append(f"hostile {seed}: only {statuses}")
    figures = {f"answers_{status}": float(n) for status, n in sorted(statuses.items())}
    return Found(
        count, tuple(wrong[:20]), 0.0, {**figures, "max_grown_mib": round(grown / 2**20, 2)}
    )


async def _fill(port: int) -> None:
    """Ask for so much that what the server keeps of answers is full."""
    days = shown.days(SESSIONS)
    for n in range(200):
        target = f"/v1/indices/chain-{n % 5 + 1}/levels?limit=1000&from={days[n]}"
        request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        await _sent(port, request.encode())


async def _sent(port: int, request: bytes, *, whole: bool = True) -> list[int]:
    """Send bytes on a connection of their own; return the statuses of what comes back.

    What is no whole request is ended by the client: the server would wait for the rest.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        if not whole:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(-1), 30)
    except OSError:  # closed before all was sent, as it should be
        return []
    finally:
        writer.close()
    return [int(one) for one in re.findall(rb"(?:^|\n|})HTTP/1\.1 (\d{3}) ", answer)]


def _requests(seed: int, count: int) -> Iterator[tuple[bytes, bool]]:
    """Yield hostile requests, and whether each is a whole one."""
    rng = random.Random(seed)  # noqa: S311
    kinds: tuple[Callable[[random.Random], bytes], ...] = (_odd_query, _odd_path, _odd_head, _noise)
    for _ in range(count):
        kind = rng.choice(kinds)
        yield kind(rng), kind in (_odd_query, _odd_path)


NUMBERS = ("", "0", "-1", "1e9", "9" * 21, "NaN", "1_000", "5000", "０", "٣", "%00", "%ff")
TEXTS = (
    *("null", "true", "[]", "{}", "price", "gap", "chain-1", "csv", "a" * 300, "\u202e", "🙂"),
    *("../../../etc/passwd", "%2e%2e%2f", "' OR 1=1 --", '"; DROP TABLE entries; --', "<script>"),
    *("=cmd|' /C calc'!A0", "%0d%0aSet-Cookie:%20a=b", "${jndi:ldap://x}", "{{7*7}}"),
)
INSTANTS = (
    *("0001-01-01", "9999-12-31", "2026-02-30", "2020-01-06", "2026-03-02T09:00:00Z"),
    *("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"),
)
ODD = (*NUMBERS, *TEXTS, *INSTANTS)
PATHS = (
    *("/v1/indices", "/v1/indices/chain-1", "/v1/indices/chain-2/levels", "/healthz", "/live.js"),
    *("/v1/indices/chain-3/constituents", "/v1/studies", "/v1/studies/pair", "/v1/status", "/"),
    *("/v1/studies/pair/signals", "/openapi.json"),
)
NAMES = ("from", "to", "variant", "limit", "after", "as_known_at", "format", "date", "signal", "x")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "FOO", "get")


def _quoted(text: str) -> str:
    return "".join(
        c if 32 < ord(c) < 127 else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )


def _request(target: str, method: str = "GET", more: str = "") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n"
    return head.encode("latin-1", "replace")


def _odd_query(rng: random.Random) -> bytes:
    pairs = (f"{rng.choice(NAMES)}={_quoted(rng.choice(ODD))}" for _ in range(rng.randrange(5)))
    return _request(f"{rng.choice(PATHS)}?{'&'.join(pairs)}")


def _odd_path(rng: random.Random) -> bytes:
    parts = rng.choice(PATHS).split("/")
    parts.insert(rng.randrange(1, len(parts) + 1), _quoted(rng.choice(ODD)))
    return _request("/".join(parts) or "/", rng.choice(METHODS))


def _odd_head(rng: random.Random) -> bytes:
    more = rng.choice(
        (
            "If-None-Match: " + '"x",' * rng.randrange(100) + "\r\n",
            "Accept-Encoding: gzip;q=, br\r\n",
            f"Authorization: Bearer {'x' * rng.randrange(2000)}\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            f"Content-Length: {rng.choice(('-1', '1', '99999999999999999999', 'x'))}\r\n",
            f"X-Forwarded-For: {rng.choice(ODD[:12])}\r\n",
            "Connection: Upgrade\r\nUpgrade: websocket\r\n",
            f"X: {'a' * rng.randrange(30_000)}\r\n",
            "Range: bytes=0-,1-,2-\r\n",
            "Expect: 100-continue\r\n",
            " folded\r\n",
            "Host: other\r\n",
        )
    )
    return _request(rng.choice(PATHS), rng.choice(METHODS), more)


def _noise(rng: random.Random) -> bytes:
    """Return a request with some of its bytes changed, lost or doubled."""
    request = bytearray(_odd_query(rng))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(request))
        request[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
    return bytes(request)


_KINDS: dict[str, Callable[..., Found]] = {"cases": _cases, "slow": _slow, "hostile": _hostile}
