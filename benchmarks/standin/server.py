"""The proxy: it answers CONNECT with a certificate of its own and then speaks for the host.

akshare is pointed at it by the proxy variables and by the name of a certificate bundle alone.
"""

import http.server
import socketserver
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from benchmarks.standin.faults import Fault, wire
from benchmarks.standin.market import Market
from benchmarks.standin.replies import reply
from benchmarks.standin.wire import Reply, Request

Choose = Callable[[Request], Fault | None]


@dataclass(slots=True)
class Standin:
    """A running stand-in.

    Attributes
    ----------
    market : what it answers from; may be changed between requests
    choose : the fault of a request, if any; may be changed as well
    asked : every request so far
    environment : the variables that point a process at it
    """

    market: Market
    environment: dict[str, str]
    choose: Choose = lambda _: None
    asked: list[Request] = field(default_factory=list)


@contextmanager
def serving(market: Market, folder: Path) -> Iterator[Standin]:
    """Serve a market on a free port of the loopback interface while the context lasts."""
    authority = trustme.CA()
    bundle = folder / "standin.pem"
    authority.cert_pem.write_to_path(str(bundle))
    server = _Server(authority)
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    standin = Standin(market, dict.fromkeys(names, proxy) | {"REQUESTS_CA_BUNDLE": str(bundle)})
    server.standin = standin
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    standin: Standin

    def __init__(self, authority: trustme.CA) -> None:
        self._authority = authority
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Connection)

    def context(self, host: str) -> ssl.SSLContext:
        """Return what a host shows of itself."""
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that was cut off has hung up."""


class _Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    _host = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_CONNECT(self) -> None:
        self._host = self.path.split(":")[0]
        self.send_response(200, "Connection Established")
        self.end_headers()
        plain = self.connection
        try:
            self.connection = self.server.context(self._host).wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError):
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = socketserver._SocketWriter(self.connection)  # type: ignore[attr-defined]
        self.close_connection = False

    def _answer(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(size).decode() if size else ""
        request = Request(
            self._host or parts.hostname or "",
            parts.path,
            dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            dict(urllib.parse.parse_qsl(sent, keep_blank_values=True)),
        )
        standin = self.server.standin
        standin.asked.append(request)
        fault = standin.choose(request) or Fault("none")
        found = reply(standin.market, request, fault.on(standin.market, request))
        found = found or Reply(b"<html>404</html>", "text/html", "404 Not Found")
        self.close_connection = True
        wire(fault, found, self.connection)

    do_GET = do_POST = _answer  # noqa: N815 (names the base class asks for)

    def finish(self) -> None:
        """Close in both layers; the other side may be gone."""
        for close in (super().finish, self.connection.close):
            try:
                close()
            except (OSError, ValueError):
                continue

    def handle(self) -> None:
        try:
            super().handle()
        except (TimeoutError, OSError, ValueError):
            self.close_connection = True
