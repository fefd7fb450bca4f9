"""The server: one process, one loop, an end on SIGTERM that cuts nobody off in the middle."""

import signal
import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from indexer.errors import TryAgainError, UsageError
from indexer.ledger.database import reading
from indexer.ledger.heads import Mark, last_hash, marks_since
from indexer.web.api import Readers, api
from indexer.web.door import Admission, guarded
from indexer.web.kept import Kept, Marks
from indexer.web.protocol import BoundedProtocol, Bounds

_BACKLOG = 2048  # connections the system keeps until they are taken
_FILES_BESIDE = 128  # open files that are no connections
_KEPT = ("/v1/indices", "/v1/studies")
_IDLE = 5  # seconds between two requests of a connection
_END = 10  # seconds for answers under way when the server is told to stop

try:
    import resource
except ImportError:  # not on Windows: there what is allowed is enough
    resource = None  # type: ignore[assignment]


def application(readers: Readers, admission: Admission) -> ASGIApp:
    """Return what answers requests: the door, what is kept, the API."""

    async def look(number: int) -> list[Mark]:
        return await readers.read(lambda connection: marks_since(connection, number))

    return guarded(Kept(api(readers), Marks(look), _KEPT), admission)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections at an address; port 0 is any free one.

    Raises
    ------
    UsageError
        If the host is none of this machine that anybody knows, or its port is not for this user.
    TryAgainError
        If the address cannot be had now.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, proto)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(_BACKLOG)
        except OSError:
            found.close()
            raise
    except UnicodeError as error:  # a part of a name that no name can have
        raise UsageError(f"{host}:{port}", f"{error}: give a --host of this machine") from error
    except OSError as error:
        where, reason = f"{host}:{port}", error.strerror or str(error)
        if isinstance(error, PermissionError):
            raise UsageError(where, f"{reason}: give a --port from 1024 on") from error
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
            raise UsageError(where, f"{reason}: give a --host of this machine") from error
        raise TryAgainError(where, reason) from error
    return found


def serve(taken: socket.socket, readers: Readers, admission: Admission, bounds: Bounds) -> None:
    """Answer requests until SIGTERM or SIGINT; then end with what is under way.

    Raises
    ------
    MissingInputError, LedgerError, OutputError, TryAgainError
        If the ledger cannot be read to begin with.
    """
    with reading(readers.ledger) as connection:
        last_hash(connection)
    bounds.connections = min(bounds.connections, _files_allowed() - _FILES_BESIDE)
    protocol = type("Protocol", (BoundedProtocol,), {"bounds": bounds})
    config = uvicorn.Config(
        application(readers, admission),
        http=protocol,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_END,
        server_header=False,
        proxy_headers=False,
    )
    # The server hands on the signal it has ended for: that is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    uvicorn.Server(config).run(sockets=[taken])


def _files_allowed() -> int:
    """Return how many files may be open, after asking for as many as can be had."""
    if resource is None:
        return 1 << 12
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1 << 16 if most == resource.RLIM_INFINITY else most
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return wanted
