"""Answers kept until the ledger has another entry: each is made once, whoever asks for it.

What an answer says depends on the request's target and on the ledger alone, so the pair of target
and last entry names it. Where the last entry cannot be read at once, because a publication holds
the database, what it holds is not there yet: the entry last seen is still the last.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOK = 0.005  # seconds for which the last entry is not looked up again
PATIENCE = 0.02  # seconds that a request waits to learn it, where one is known
ROOM = 64 << 20  # bytes of bodies that are kept


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(slots=True)
class Head:
    """The last entry of a ledger, looked up no oftener than needed.

    Attributes
    ----------
    look : reads it; a hash, which names all that was ever published
    """

    look: Callable[[], Awaitable[str]]
    known: str = ""
    at: float = float("-inf")
    looking: "asyncio.Task[str] | None" = None

    async def last(self) -> str:
        """Return the hash of the last entry; raises what reading it does where none is known."""
        loop = asyncio.get_running_loop()
        if loop.time() - self.at < LOOK:
            return self.known
        if self.looking is None:
            self.looking = loop.create_task(self._look())
        looking = self.looking
        await asyncio.wait({looking}, timeout=PATIENCE if self.known else None)
        return looking.result() if looking.done() else self.known

    async def _look(self) -> str:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            self.known = await self.look()
            self.at = began
            return self.known
        finally:
            self.looking = None


@dataclass(slots=True)
class Kept:
    """Answers to GET of some paths, kept while the ledger has the same last entry."""

    app: ASGIApp
    head: Head
    paths: tuple[bytes, ...]
    of: str = ""  # the entry they were made from
    answers: "OrderedDict[bytes, asyncio.Task[Reply]]" = field(default_factory=OrderedDict)
    size: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or make the answer."""
        if scope["type"] != "http" or not scope["raw_path"].startswith(self.paths):
            await self.app(scope, receive, send)
            return
        head = await self.head.last()
        if head != self.of:
            self.of, self.size = head, 0
            self.answers.clear()
        target = scope["raw_path"] + b"?" + scope["query_string"]
        making = self.answers.get(target)
        if making is None:
            making = asyncio.get_running_loop().create_task(self._made(scope, receive))
            self.answers[target] = making
            making.add_done_callback(lambda done: self._weigh(target, done))
        else:
            self.answers.move_to_end(target)
        # Others may wait for the same answer: who gives up does not take it from them.
        await _send(await asyncio.shield(making), scope, send)

    async def _made(self, scope: Scope, receive: Receive) -> Reply:
        """Return what the application answers, with a tag that tells it from any other."""
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, collect)
        body = b"".join(parts)
        headers = list(start["headers"])
        if start["status"] == 200:
            tag = hashlib.sha256(body).hexdigest()[:32].encode()
            headers += [(b"etag", b'"' + tag + b'"'), (b"cache-control", b"no-cache")]
        return Reply(start["status"], headers, body)

    def _weigh(self, target: bytes, made: "asyncio.Task[Reply]") -> None:
        """Keep an answer, and let go of those not asked for longest; problems are not kept."""
        if self.answers.get(target) is not made:  # a later entry has come meanwhile
            return
        if made.cancelled() or made.exception() or made.result().status != 200:
            del self.answers[target]
            return
        self.size += len(made.result().body)
        for old in list(self.answers):
            if self.size <= ROOM:
                break
            if self.answers[old].done():
                self.size -= len(self.answers.pop(old).result().body)


async def _send(reply: Reply, scope: Scope, send: Send) -> None:
    status, headers, body = reply
    asked = [value for name, value in scope["headers"] if name == b"if-none-match"]
    if status == 200 and asked and _matches(b",".join(asked), dict(headers)[b"etag"]):
        dropped = (b"content-length", b"content-type", b"content-disposition")
        headers = [(name, value) for name, value in headers if name not in dropped]
        status, body = 304, b""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _matches(asked: bytes, tag: bytes) -> bool:
    """Return whether a list of tags has this one, compared weakly as RFC 9110 wants it here."""
    tags = [one.strip().removeprefix(b"W/") for one in asked.split(b",")]
    return b"*" in tags or tag in tags
