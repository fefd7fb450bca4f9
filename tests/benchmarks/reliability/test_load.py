"""The load generator charges a server for standing still, and for nothing it did not do."""

import asyncio
import contextlib
import time

import pytest

from benchmarks.reliability.load import Connection, Load, steady, summary

ANSWER = b'HTTP/1.1 200 OK\r\netag: "x"\r\ncontent-length: 2\r\n\r\nok'


def served(answer, ask):
    """Return what asking gives of a server that does something with each connection."""

    async def run():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            found = await ask(server.sockets[0].getsockname()[1])
            await asyncio.sleep(0.1)  # until both ends of each connection are closed
            return found

    return asyncio.run(run())


def answering(times, *, stall=0.0):
    """Return a server that answers so many requests of a connection, and then closes it."""

    async def answer(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError), contextlib.closing(writer):
            for _ in range(times):
                await reader.readuntil(b"\r\n\r\n")  # raises where the other end has gone
                time.sleep(stall)
                writer.write(ANSWER)

    return answer


def test_a_connection_that_was_closed_while_idle_is_opened_again():
    async def ask(port):
        connection = Connection(port)
        told = [await connection.get("/") for _ in range(3)]
        connection.close()
        return told

    assert served(answering(1), ask) == [(200, '"x"')] * 3


def test_a_server_that_answers_nothing_at_all_is_told_of():
    async def ask(port):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await Connection(port).get("/")

    served(answering(0), ask)


def test_a_server_that_stands_still_is_charged_for_all_who_were_due():
    """Twenty are due in 0.2 s, one after another takes 0.05 s each: the last waits for all."""
    load = served(answering(1000, stall=0.05), lambda port: steady(port, 100, 0.2, 1))

    assert len(load.seconds) == 20
    assert load.wrong == []
    assert max(load.seconds) > 0.6


def test_a_share_of_requests_is_answered_within_its_quantile():
    load = Load([n / 1000 for n in range(100)])

    assert (load.quantile(0.5), load.quantile(0.99)) == (50.0, 99.0)


def test_several_runs_give_the_least_and_the_median():
    figures = {"steady_1_p99_ms": 9.0, "steady_2_p99_ms": 5.0, "steady_3_p99_ms": 7.0, "max_x": 1.0}

    assert summary(figures) == {"steady_p99_ms": (5.0, 7.0)}
