"""The command that answers over the network: what it refuses, what it says, how it ends."""

import contextlib
import errno
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.report.metrics import metrics_text
from tests.run.desk import DAYS, ledger_url, published

pytest.importorskip("fastapi", reason="the extra `web` is not installed")

from indexer.web.server import listen

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-some-length"  # noqa: S105
PROGRAM = "from indexer.cli.app import main; main()"


def command(*words, cwd=ROOT, **environment):
    """Return a started command of this project."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("INDEXER_")}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**kept, **environment}, cwd=cwd,
    )  # fmt: skip


def ended(*words, **environment):
    process = command(*words, **environment)
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """Return the URL of a ledger with a few sessions of an index, published by the package."""
    path = tmp_path_factory.mktemp("served")
    published(path, DAYS[0], DAYS[3])
    return ledger_url(path)


@contextlib.contextmanager
def serving(*words, **environment):
    """Run a server; give its process and port."""
    process = command("--port", "0", *words, **environment)
    try:
        said = process.stderr.readline()
        yield process, int(re.search(r"answering at http://127.0.0.1:(\d+)/", said)[1])
    finally:
        process.kill()
        process.communicate()


def got(port, target, **headers):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", target, headers=headers)
    answer = client.getresponse()
    told = answer.status, answer.read()
    client.close()
    return told


def test_an_address_with_colons_is_told_as_a_browser_takes_it(ledger):
    if not socket.has_dualstack_ipv6():
        pytest.skip("needs IPv6")
    process = command("--port", "0", "--host", "::1", "--ledger", ledger)
    said = process.stderr.readline()
    process.kill()
    process.communicate()

    assert "answering at http://[::1]:" in said


def test_what_was_published_is_served_and_the_end_is_a_good_one(ledger, tmp_path):
    figures = tmp_path / "indexer.prom"
    figures.write_text(metrics_text([], 4e9, 0, {}, {}))
    with serving("--ledger", ledger, "--metrics", str(figures)) as (process, port):
        status, body = got(port, "/v1/indices/trio/levels?variant=price")
        process.send_signal(signal.SIGTERM)

        assert status == 200
        assert [row["date"] for row in json.loads(body)["rows"]] == [
            day.isoformat() for day in DAYS[:4]
        ]
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


@pytest.mark.attack("E5")
def test_one_client_is_answered_as_often_as_the_rate_says(ledger):
    with serving("--ledger", ledger, "--rate", "1") as (_, port):
        found = [got(port, "/healthz")[0] for _ in range(20)]

    assert found[0] == 200
    assert 429 in found


def test_an_interrupt_is_a_good_end_too(ledger):
    with serving("--ledger", ledger) as (process, port):
        got(port, "/healthz")
        process.send_signal(signal.SIGINT)

        assert process.wait(20) == 0


def test_the_calendar_says_what_is_late_and_the_last_run_what_was_refused(ledger, tmp_path):
    file = tmp_path / "indexer.prom"
    file.write_text(metrics_text([], 4e9, 65, {"new": 4e9}, {}))
    with serving("--ledger", ledger, "--metrics", str(file)) as (_, port):
        new, trio = json.loads(got(port, "/v1/status")[1])["rows"]

    assert (new["id"], new["state"]) == ("new", "refused")
    assert (trio["id"], trio["state"]) == ("trio", "delayed")
    assert trio["due"] > DAYS[-1].isoformat()


def test_what_was_refused_is_told_by_the_figures_that_publish_leaves(ledger, tmp_path):
    """Where nothing else is said."""
    (tmp_path / "out").mkdir()
    text = metrics_text([], 4e9, 65, {"new": 4e9}, {})
    (tmp_path / "out" / "indexer.prom").write_text(text)
    with serving("--ledger", ledger, cwd=tmp_path) as (_, port):
        assert json.loads(got(port, "/v1/status")[1])["rows"][0]["state"] == "refused"


@pytest.mark.parametrize(
    ("words", "file"),
    [(["--metrics", "none.prom"], "none.prom"), ([], "out/indexer.prom")],
    ids=["named", "default"],
)
def test_a_file_of_figures_that_is_not_there_yet_is_said_once_at_the_start(
    ledger, tmp_path, words, file
):
    with serving("--ledger", ledger, *words, cwd=tmp_path) as (process, port):
        status, _ = got(port, "/v1/status")
        process.send_signal(signal.SIGTERM)
        process.wait(20)

        assert status == 200
        assert process.stderr.read().splitlines() == [f"warning: {file}: is not there yet"]


@pytest.mark.attack("B2")
def test_a_pipe_in_the_place_of_a_file_of_figures_keeps_nobody_waiting(ledger, tmp_path):
    file = tmp_path / "indexer.prom"
    os.mkfifo(file)
    with serving("--ledger", ledger, "--metrics", str(file)) as (_, port):
        assert got(port, "/v1/status")[0] == 200


@pytest.mark.attack("E4", "F7")
def test_the_token_of_the_environment_is_asked_for_and_never_said(ledger):
    with serving("--ledger", ledger, INDEXER_TOKEN=TOKEN) as (process, port):
        without = got(port, "/v1/indices")
        with_it = got(port, "/v1/indices", Authorization=f"Bearer {TOKEN}")
        environment = Path(f"/proc/{process.pid}/cmdline").read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        said = process.stderr.read()

    assert (without[0], with_it[0]) == (401, 200)
    assert TOKEN not in said + environment + without[1].decode() + with_it[1].decode()


def test_an_address_that_is_taken_is_a_matter_of_time(ledger):
    with serving("--ledger", ledger) as (_, port):
        code, told = ended("--ledger", ledger, "--port", str(port))

    assert code == 75
    assert "in use" in told


def test_a_port_that_is_not_for_this_user_is_wrong_usage(monkeypatch):
    """Root may have any, so the system is asked in a test's place."""
    monkeypatch.setattr(socket.socket, "bind", forbidden)
    with pytest.raises(UsageError, match="localhost:9: Permission denied: give a --port"):
        listen("localhost", 9)


def forbidden(*_):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_a_host_that_nobody_knows_is_wrong_usage(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UsageError, match=r"no\.invalid:80: nobody knows it: give a --host"):
        listen("no.invalid", 80)


def test_a_host_that_can_be_no_name_is_wrong_usage():
    with pytest.raises(UsageError, match="give a --host of this machine"):
        listen(64 * "a" + ".example", 80)


def unknown(*_, **__):
    raise socket.gaierror(socket.EAI_NONAME, "nobody knows it")


def test_a_ledger_that_is_not_there_is_said(tmp_path):
    code, told = ended("--ledger", f"sqlite:///{tmp_path}/none.db")

    assert code == 66
    assert "no such ledger" in told


@pytest.mark.attack("E4")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_others_are_not_listened_to_without_a_token(host):
    code, told = ended("--host", host)

    assert code == 2
    assert "INDEXER_TOKEN" in told


@pytest.mark.attack("E6")
@pytest.mark.parametrize(
    "name", ["", " ", "ex.org:443", "http://x", "ex.org/", "*.ex.org", "2001:db8::1", "ümlaut.org"]
)
def test_a_name_that_no_request_could_have_is_refused_with_what_to_write(name):
    code, told = ended("--name", name)

    assert code == 2
    assert f"{name!r} is no name of a host: write it like indices.example.org" in told


def test_a_name_that_is_given_is_answered_to(ledger):
    with serving("--ledger", ledger, "--name", "Indices.example.org") as (_, port):
        assert got(port, "/v1/indices", Host="indices.example.org:80")[0] == 200


@pytest.mark.attack("E4")
@pytest.mark.parametrize("token", ["", "short", "a token with a ümlaut", "a" * 20 + "\n"])
def test_what_is_no_token_is_refused_and_not_shown(token):
    code, told = ended(INDEXER_TOKEN=token)

    assert code == 2
    assert "16 printable" in told
    assert not token.strip() or token.strip() not in told


@pytest.mark.parametrize("token", [f"{TOKEN} ", f" {TOKEN}"])
def test_a_token_that_no_request_could_send_is_refused_and_not_shown(token):
    code, told = ended(INDEXER_TOKEN=token)

    assert code == 2
    assert "has a space at an end" in told
    assert TOKEN not in told


def test_without_the_extra_it_says_what_to_install(tmp_path):
    (tmp_path / "fastapi.py").write_text("raise ModuleNotFoundError('no', name='fastapi')")
    code, told = ended(PYTHONPATH=str(tmp_path))

    assert code == 66
    assert "fastapi: is not installed: in the checkout, pip install '.[web]'" in told
