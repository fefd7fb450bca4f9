"""The door: what is no request we answer is turned away here, and no answer leaves undressed."""

import asyncio
import hmac
import logging
import math
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import IndexerError
from indexer.web.live import FILES
from indexer.web.problem import Fault, Refused, problem_response
from indexer.web.ratelimit import RateLimit, client_of

MAX_TARGET = 2048  # bytes of path and query
TIME = 15.0  # seconds in which an answer is made, or given up
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        b"img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OPEN = {"/healthz", *FILES}  # what needs no token; all else does, however it is spelled
# What a client is told of a failure; what is behind it, only the log is.
_LATER = Refused(
    503, "the ledger cannot be read now: try again later", headers={"retry-after": "5"}
)
_BUG = Refused(500, "this is a bug in indexer; its log has more")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whose requests are answered.

    Attributes
    ----------
    token : SHA-256 of the bearer token that is asked for; None for none
    hosts : names a request may call this server by; any, where empty
    limit : how often a client is answered; None for as often as it asks
    """

    token: bytes | None = None
    hosts: Collection[str] = ()
    limit: RateLimit | None = None


def hashed(token: str) -> bytes:
    """Return what is kept of a token."""
    return sha256(token.encode()).digest()


def guarded(app: ASGIApp, admission: Admission) -> ASGIApp:
    """Return an application behind the door."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        told: list[Message] = []

        async def hold(message: Message) -> None:
            told.append(message)

        refused = None
        try:
            _admit(scope, admission)
            # The server leaves out the body of an answer to HEAD by itself.
            asked = {**scope, "method": "GET"}
            async with asyncio.timeout(TIME):
                await app(asked, receive, hold)
        except Refused as problem:
            refused = problem
        except (IndexerError, TimeoutError) as error:
            _log.error("a request could not be answered: %s", str(error) or "no answer in time")
            refused = _LATER
        except Exception:  # noqa: BLE001 (a bug ends one answer, not the server)
            _log.exception("a request could not be answered")
            refused = _BUG
        if refused is not None:
            told.clear()  # what the application has begun to say of its own failure as well
            await problem_response(refused)(scope, receive, hold)
        for message in told:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

    return door


def _admit(scope: Scope, admission: Admission) -> None:
    """Raise for what is not answered; the order tells least to who may know least."""
    headers = scope["headers"]
    if admission.limit is not None:
        _check_rate(scope, admission.limit)
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
        raise Refused(414, f"a target has at most {MAX_TARGET} bytes")
    if admission.hosts and _host(headers) not in admission.hosts:
        raise Refused(421, "this server is not called by that name")
    if scope["method"] not in ("GET", "HEAD"):
        raise Refused(405, "only GET and HEAD are answered", headers={"allow": "GET, HEAD"})
    named = dict(headers)
    if named.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in named:
        raise Refused(413, "a request has no body", headers={"connection": "close"})
    if admission.token is not None and scope["path"] not in _OPEN:
        _check_token(headers, admission.token)
    _check_query(scope["query_string"])


def _check_rate(scope: Scope, limit: RateLimit) -> None:
    """Raise for a client that asks too often; what its headers say of who it is counts nothing."""
    address, _ = scope["client"] or ("", 0)
    wait = limit.take(client_of(address), asyncio.get_running_loop().time())
    if wait > 0:
        raise Refused(
            429,
            f"a client is answered {limit.rate} times a second: ask again later",
            headers={"retry-after": f"{math.ceil(wait)}"},
        )


def _host(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the name a request calls the server by, without its port; None where unclear."""
    found = [value for name, value in headers if name == b"host"]
    if len(found) != 1:
        return None
    text = found[0].decode("latin-1").lower()
    head, colon, port = text.rpartition(":")
    return (head if colon and port.isdecimal() else text) or None


def _check_token(headers: list[tuple[bytes, bytes]], token: bytes) -> None:
    given = [value for name, value in headers if name == b"authorization"]
    kind, _, secret = (given[0] if len(given) == 1 else b"").partition(b" ")
    same = hmac.compare_digest(sha256(secret.strip()).digest(), token)
    if not same or kind.lower() != b"bearer":
        raise Refused(
            401, "a bearer token is needed", headers={"www-authenticate": 'Bearer realm="indexer"'}
        )


def _check_query(query: bytes) -> None:
    """Raise for a query that has no one reading."""
    seen = set()
    for part in query.split(b"&") if query else ():
        name, _, value = (unquote_to_bytes(piece) for piece in part.partition(b"="))
        try:
            key, text = name.decode(), value.decode()
        except UnicodeDecodeError:
            raise Refused(422, "the query is not in UTF-8") from None
        if "\0" in key or "\0" in text:
            raise Refused(422, "the query has a NUL in it")
        if key in seen:
            fault = Fault(parameter=key[:64], message="is given more than once")
            raise Refused(422, "a parameter is given more than once", [fault])
        seen.add(key)
