"""Connections: deadlines for whoever sends or reads slowly, and an end to how many there are.

uvicorn has a deadline between two requests, none within one. A connection that has a request under
way may take so long; where there are too many, the one that has waited longest gives way, so that
those who send nothing cannot keep out those who do.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from indexer.web.door import HEADERS
from indexer.web.problem import PROBLEM_TYPE, Refused, problem_response


@dataclass(slots=True)
class Bounds:
    """How long and how much.

    Attributes
    ----------
    receipt : seconds from the first byte of a request, or the connection, to its last
    delivery : seconds in which a client must make room for what it asked for
    request : bytes of a request, headers and all
    connections : largest number of them
    waiting : those that are not being answered, the one that has waited longest first
    """

    receipt: float = 10.0
    delivery: float = 60.0
    request: int = 16 << 10
    connections: int = 4096
    waiting: "OrderedDict[BoundedProtocol, None]" = field(default_factory=OrderedDict)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol within `Bounds`, which a subclass has as ``bounds``."""

    bounds: Bounds
    _receipt: asyncio.TimerHandle | None = None
    _delivery: asyncio.TimerHandle | None = None
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; where there are too many, the one that has waited longest goes."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > self.bounds.connections:
            oldest, _ = self.bounds.waiting.popitem(last=False)
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything about it."""
        self._stop_waiting()
        self._cancel_delivery()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in bytes, but no more than a request has, and no longer than one takes."""
        if self.transport.is_closing():
            return
        if self._receipt is None:
            self._await_request()
        self._received += len(data)
        if self._received > self.bounds.request:
            self._refuse(431, f"a request has at most {self.bounds.request} bytes")
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin a request, maybe in the same bytes that the one before ended in."""
        if self._receipt is None:
            self._await_request()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note that the request is here whole."""
        self._received = 0
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or see the last bytes out."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_delivery()
        elif not self.pipeline:
            self.bounds.waiting[self] = None

    def pause_writing(self) -> None:
        """Begin to wait for a client that reads slowly."""
        super().pause_writing()
        self._await_delivery()

    def resume_writing(self) -> None:
        """Note that it has read."""
        super().resume_writing()
        self._cancel_delivery()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; what its client has not read by now is dropped."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, "this is no request in HTTP/1.1")

    def _await_request(self) -> None:
        self._stop_waiting()
        self.bounds.waiting[self] = None
        self._receipt = self.loop.call_later(self.bounds.receipt, self._late)

    def _stop_waiting(self) -> None:
        self.bounds.waiting.pop(self, None)
        if self._receipt is not None:
            self._receipt.cancel()
            self._receipt = None

    def _late(self) -> None:
        self._refuse(408, f"a request is sent within {self.bounds.receipt:g} seconds")

    def _await_delivery(self) -> None:
        self._cancel_delivery()
        self._delivery = self.loop.call_later(self.bounds.delivery, self.transport.abort)

    def _cancel_delivery(self) -> None:
        if self._delivery is not None:
            self._delivery.cancel()
            self._delivery = None

    def _refuse(self, status: int, detail: str) -> None:
        """Answer outside any request, and close."""
        if self.transport.is_closing():
            return
        self._stop_waiting()
        self.transport.write(refusal(status, detail))
        self.transport.close()
        self._await_delivery()


def refusal(status: int, detail: str) -> bytes:
    """Return a problem document as it goes over the wire."""
    phrase = HTTPStatus(status).phrase
    body = bytes(problem_response(Refused(status, detail)).body)
    headers = [
        (b"content-type", PROBLEM_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
        *HEADERS,
    ]
    lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(b": ".join(one) for one in headers)]
    return b"\r\n".join([*lines, b"", body])
