"""A small ledger behind the application, asked as a server would ask it."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

pytest.importorskip("fastapi", reason="the extra `web` is not installed")
pytest.importorskip("uvicorn", reason="the extra `web` is not installed")

from benchmarks.reliability import shown
from indexer.ledger.database import open_ledger
from indexer.web.api import Readers, readers_at
from indexer.web.door import Admission
from indexer.web.server import application

SESSIONS = 40


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON by the letter."""
        return json.loads(self.body, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


class Client:
    """Asks an application without a network; a loop of its own, as a server has."""

    def __init__(self, app: Any) -> None:
        self.app, self.runner = app, asyncio.Runner()

    def __call__(
        self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return what is answered to a request, of which the target is as it is sent."""
        return self.runner.run(asked(self.app, target, method, headers))


async def asked(
    app: Any, target: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request and collect its answer."""
    path, _, query = target.partition("?")
    given = {"host": "localhost:8000", **(headers or {})}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *parts = sent
    names = {k.decode(): v.decode() for k, v in start["headers"]}
    return Answer(start["status"], names, b"".join(part.get("body", b"") for part in parts))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Give a ledger that nobody publishes to any more."""
    engine = shown.write(tmp_path_factory.mktemp("web") / "ledger.db", SESSIONS)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(published: sa.Engine, tmp_path: Path) -> Iterator[sa.Engine]:
    """Give a copy of it, to be published to."""
    copy = shutil.copy(str(published.url.database), tmp_path / "ledger.db")
    engine = open_ledger(f"sqlite:///{copy}")
    yield engine
    engine.dispose()


def readers_of(engine: sa.Engine) -> Readers:
    """Return readers of a ledger."""
    return readers_at(f"sqlite:///{engine.url.database}")


@contextmanager
def client(engine: sa.Engine, terms: Admission) -> Iterator[Client]:
    """Give a client of the application on a ledger."""
    readers = readers_of(engine)
    found = Client(application(readers, terms))
    with found.runner:
        yield found
    readers.ledger.dispose()


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    """Give a way to make clients of a ledger, on terms or on none."""
    with ExitStack() as opened:
        yield lambda engine, **terms: opened.enter_context(client(engine, Admission(**terms)))


@pytest.fixture(scope="session")
def ask(published: sa.Engine) -> Iterator[Client]:
    """Give a client of a ledger that does not change."""
    with client(published, Admission()) as found:
        yield found
