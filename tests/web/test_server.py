"""The server over real connections: deadlines, bounds, and an end on SIGTERM."""

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import time
from pathlib import Path

import pytest

from indexer.web.door import HEADERS
from tests.web.serving import server

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
LARGE = b"GET /echarts.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def port(published):
    with server(f"sqlite:///{published.url.database}") as (_, port):
        yield port


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def problem(answer: bytes) -> dict:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert all(b": ".join(header) in head for header in HEADERS)
    return json.loads(body)


@pytest.mark.attack("E7")
@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"\r\n"])
def test_who_does_not_finish_a_request_in_time_is_closed(port, sent):
    with connected(port) as slow:
        slow.sendall(sent)
        began = time.monotonic()
        answer = read_all(slow)

    assert problem(answer)["status"] == 408
    assert 0.4 < time.monotonic() - began < 5


@pytest.mark.attack("E7")
def test_a_byte_now_and_then_does_not_put_off_the_end(port):
    with connected(port) as slow:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 100:
                slow.sendall(bytes([byte]))
                time.sleep(0.05)

    assert time.monotonic() - began < 3


def test_blank_lines_after_an_answer_do_not_put_off_the_end(port):
    with connected(port) as slow:
        slow.sendall(REQUEST)
        assert slow.recv(65536).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for _ in range(100):
                slow.sendall(b"\r\n")
                time.sleep(0.05)

    assert time.monotonic() - began < 3


@pytest.mark.attack("E7")
def test_who_does_not_read_is_let_go(published):
    with server(f"sqlite:///{published.url.database}") as (process, port):
        with connected(port) as client:
            client.sendall(REQUEST)
            client.recv(65536)
        time.sleep(0.5)  # until its end is noticed
        files = Path(f"/proc/{process.pid}/fd")
        before = len(list(files.iterdir()))
        with contextlib.ExitStack() as held:
            for _ in range(5):
                slow = held.enter_context(socket.socket())
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.connect(("127.0.0.1", port))
                slow.sendall(LARGE * 10)
            time.sleep(0.3)
            during = len(list(files.iterdir()))
            time.sleep(3)

            assert during - before == 5
            assert len(list(files.iterdir())) <= before


def test_requests_one_after_another_on_a_connection_are_answered(port):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(5):
        client.request("GET", "/v1/indices")
        answer = client.getresponse()
        assert (answer.status, len(json.loads(answer.read())["rows"])) == (200, 5)
    client.close()


def test_requests_sent_at_once_are_answered_in_turn(port):
    with connected(port) as client:
        client.sendall(REQUEST * 3 + REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

        assert read_all(client).count(b"HTTP/1.1 200") == 4


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET http:// HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n bad\r\n\r\n", 400),
        (b"GET /\xc3\xa4 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000, 431),
        (b"GET /" + b"a" * 20_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5_000, 431),
    ],
)
def test_what_is_no_request_is_refused_as_a_problem(port, sent, status):
    with connected(port) as client:
        client.sendall(sent)

        assert problem(read_all(client))["status"] == status


@pytest.mark.parametrize("lengths", ["5\r\nContent-Length: 6", "-1", "+5", "99999999999999999999"])
def test_a_length_that_is_none_is_refused(port, lengths):
    with connected(port) as client:
        client.sendall(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {lengths}\r\n\r\n".encode()
        )

        assert read_all(client).split(b" ", 2)[1] in (b"400", b"413")


def test_a_body_ends_the_connection(port):
    with connected(port) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90
        )

        assert read_all(client).startswith(b"HTTP/1.1 405")


def test_an_upgrade_is_not_made(port):
    with connected(port) as client:
        client.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

        assert client.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.attack("E7")
def test_too_many_who_wait_go_before_who_asks(published):
    with (
        server(f"sqlite:///{published.url.database}", receipt=20) as (process, port),
        contextlib.ExitStack() as held,
    ):
        for _ in range(200):  # of which 60 are kept
            held.enter_context(connected(port))
        with connected(port) as client:
            client.sendall(REQUEST)

            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        kept = 0
        for file in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed while they are looked at
                kept += os.readlink(file).startswith("socket:")
        assert kept < 70


def test_the_server_ends_well_with_connections_open(published):
    with server(f"sqlite:///{published.url.database}") as (process, port):
        with connected(port) as idle, connected(port) as half:
            idle.sendall(REQUEST)
            idle.recv(65536)
            half.sendall(b"GET / HT")
            process.send_signal(signal.SIGTERM)

            assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_what_is_under_way_is_answered_before_the_end(ledger):
    """A request waits for a database that a publication holds when the server is told to stop."""
    with server(f"sqlite:///{ledger.url.database}") as (process, port):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", "/healthz")
        client.getresponse().read()
        with ledger.connect() as holder:
            holder.exec_driver_sql("ROLLBACK")
            holder.exec_driver_sql("BEGIN EXCLUSIVE")
            client.request("GET", "/v1/studies/pair/signals")
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            holder.exec_driver_sql("ROLLBACK")
        answer = client.getresponse()

        assert (answer.status, len(json.loads(answer.read())["rows"])) == (200, 560)
        assert process.wait(10) == 0


def test_as_many_files_may_be_open_as_the_system_allows(published):
    """Though it is started with fewer, as from most shells."""
    here, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, here), most))
    try:
        with server(f"sqlite:///{published.url.database}") as (process, port):
            with connected(port) as first:  # it listens before it is ready
                first.sendall(REQUEST)
                first.recv(1)
            limits = Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (here, most))
    told = next(line.split() for line in limits.splitlines() if line.startswith("Max open"))

    assert int(told[3]) == (most if most != resource.RLIM_INFINITY else 1 << 16)
