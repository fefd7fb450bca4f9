"""Answers kept until there is another entry of what they tell of: each is made once.

What an answer says depends on the request's target and on the entries of one index or study, a
list's on all of them: target and last entry name it. Where the last entry cannot be read at once,
because a publication holds the database, what it holds is not there yet: the entry last seen is
still the last.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.ledger.heads import Mark

LOOK = 0.005  # seconds for which the last entry is not looked up again
PATIENCE = 0.02  # seconds that a request waits to learn it, where one is known
ROOM = 64 << 20  # bytes of answers that are kept
BESIDE = 2048  # bytes, about, that an answer takes beside its body and its target


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(slots=True)
class Cached:
    """An answer that is made or being made, and what it takes.

    Attributes
    ----------
    of : hash of the entry that it was made from
    size : bytes it takes; 0 as long as it is not counted among what is kept
    """

    of: str
    making: "asyncio.Task[Reply]"
    size: int = 0


@dataclass(slots=True)
class Marks:
    """The last entry of each index and study, looked up no oftener than needed.

    Attributes
    ----------
    look : reads the entries from a number on, newest first
    last : the last entry of all
    of : by subject, the hash of its last entry; those not among them have none since `before`
    """

    look: Callable[[int], Awaitable[Sequence[Mark]]]
    last: Mark = field(default_factory=Mark)
    of: dict[str, str] = field(default_factory=dict)
    before: str = ""
    at: float = float("-inf")
    looking: "asyncio.Task[None] | None" = None

    async def newest(self, subject: str) -> str:
        """Return the hash of the last entry of a subject, or of all where it is empty.

        Raises what reading does, where it fails at once or nothing is known yet.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self.at >= LOOK:
            if self.looking is None:
                self.looking = loop.create_task(self._look())
                self.looking.add_done_callback(_noticed)
            looking = self.looking
            known = self.at > float("-inf")
            await asyncio.wait({looking}, timeout=PATIENCE if known else None)
            if looking.done():
                looking.result()
        return self.of.get(subject, self.before) if subject else self.last.hash

    async def _look(self) -> None:
        began = asyncio.get_running_loop().time()
        try:
            found = await self.look(self.last.number)
            if not found or found[-1] != self.last:  # the first look, or another ledger
                found = (found or await self.look(0))[:1]  # it may end before this one did
                self.of, self.last = {}, Mark()
                self.before = found[0].hash if found else ""
            for mark in reversed(found):
                self.of[mark.subject], self.last = mark.hash, mark
            self.at = began
        finally:
            self.looking = None


def _noticed(ended: asyncio.Task[None]) -> None:
    """Take note of a failure: asyncio logs one that nobody has waited for, all of it."""
    if not ended.cancelled():
        ended.exception()


@dataclass(slots=True)
class Kept:
    """Answers to GET of some paths, kept while what they tell of has the same last entry.

    Attributes
    ----------
    answers : by target, those asked for last at the end
    size : bytes they take
    """

    app: ASGIApp
    marks: Marks
    paths: tuple[str, ...]
    answers: OrderedDict[bytes, Cached] = field(default_factory=OrderedDict)
    size: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or make the answer."""
        if scope["type"] != "http" or not scope["path"].startswith(self.paths):
            await self.app(scope, receive, send)
            return
        mark = await self.marks.newest(_subject(scope["path"]))
        target = scope["raw_path"] + b"?" + scope["query_string"]
        answer = self.answers.get(target)
        if answer is None or answer.of != mark:
            self._forget(target)
            making = asyncio.get_running_loop().create_task(self._made(scope, receive))
            answer = self.answers[target] = Cached(mark, making)
            making.add_done_callback(lambda _: self._weigh(target, answer))
        else:
            self.answers.move_to_end(target)
        # Others may wait for the same answer: who gives up does not take it from them.
        await _send(await asyncio.shield(answer.making), scope, send)

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

    def _weigh(self, target: bytes, answer: Cached) -> None:
        """Keep an answer, and let go of those not asked for longest; problems are not kept."""
        made = answer.making
        failed = made.cancelled() or made.exception()  # looked at, or asyncio logs it, all of it
        if self.answers.get(target) is not answer:  # a later entry has come meanwhile
            return
        if failed or made.result().status != 200:
            del self.answers[target]
            return
        answer.size = len(made.result().body) + len(target) + BESIDE
        self.size += answer.size
        for old in list(self.answers):
            if self.size <= ROOM:
                break
            if self.answers[old].making.done():
                self._forget(old)

    def _forget(self, target: bytes) -> None:
        answer = self.answers.pop(target, None)
        if answer is not None:
            self.size -= answer.size


def _subject(path: str) -> str:
    """Return which index or study an address tells of; empty where it lists them all."""
    return "".join(path.split("/")[3:4])


async def _send(reply: Reply, scope: Scope, send: Send) -> None:
    status, headers, body = reply
    asked = [value for name, value in scope["headers"] if name == b"if-none-match"]
    if status == 200 and asked and matches(b",".join(asked), dict(headers)[b"etag"]):
        dropped = (b"content-length", b"content-type", b"content-disposition")
        headers = [(name, value) for name, value in headers if name not in dropped]
        status, body = 304, b""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def matches(asked: bytes, tag: bytes) -> bool:
    """Return whether a list of tags has this one, compared weakly as RFC 9110 wants it here."""
    tags = [one.strip().removeprefix(b"W/") for one in asked.split(b",")]
    return b"*" in tags or tag in tags
