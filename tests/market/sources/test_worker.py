"""The process akshare runs in: what it may not do, and what hostile replies do not achieve."""

import base64
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pytest

import indexer
from benchmarks.standin import faults
from benchmarks.standin.faults import Fault
from benchmarks.standin.wire import Reply
from indexer.market.sources import child, framing
from indexer.market.sources.akshare import Access, upstreams
from indexer.market.sources.guard import Guard, Pace
from indexer.market.sources.source import Answer, Ask
from indexer.market.sources.worker import Ended, Worker, _reply
from tests.market.sources.standin import EX_DATE, FIRST, LAST, Reach

SHARE = Ask("prices", "300308.SZ", FIRST, LAST, LAST)


def fetched(reach: Reach, kind: str, name: str = "eastmoney", times: int = 99) -> Answer:
    """Return what a source answers while its upstream has a fault."""
    left = [times]

    def choose(request):
        left[0] -= 1
        return Fault(kind) if left[0] >= 0 else None

    reach.standin.choose = choose
    return upstreams(reach.access, [name])[0].fetch(SHARE)


def framed(content: bytes) -> bytes:
    """Return bytes with the lengths before them that a message has."""
    return len(content).to_bytes(4, "big") + bytes(4) + content


@pytest.fixture
def short(reach, monkeypatch):
    """Give every question two seconds."""
    monkeypatch.setattr(reach.access.worker, "_deadline", 2.0)
    return reach


def test_one_process_answers_many_questions(reach):
    source = upstreams(reach.access, ["eastmoney"])[0]
    source.fetch(SHARE)
    process = reach.access.worker._process

    source.fetch(SHARE)

    assert reach.access.worker._process is process


@pytest.mark.attack("D1", "F7")
def test_it_is_given_no_variable_but_those_about_the_way_out(reach):
    upstreams(reach.access, ["eastmoney"])[0].fetch(SHARE)
    process = reach.access.worker._process
    assert process is not None

    told = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")

    names = {line.partition(b"=")[0].decode() for line in told if line}
    assert names <= {
        *("PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "TQDM_DISABLE", "NO_PROXY", "no_proxy"),
        *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "REQUESTS_CA_BUNDLE"),
        *("SSL_CERT_FILE", "PYTHONPATH"),
    }


def test_it_runs_the_package_that_started_it(reach):
    upstreams(reach.access, ["eastmoney"])[0].fetch(SHARE)
    process = reach.access.worker._process
    assert process is not None

    told = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")

    assert f"PYTHONPATH={Path(indexer.__file__).parents[1]}".encode() in told


@pytest.mark.attack("D1")
def test_it_has_limits_and_where_we_are_root_it_is_nobody(reach):
    upstreams(reach.access, ["eastmoney"])[0].fetch(SHARE)
    process = reach.access.worker._process
    assert process is not None
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    status = Path(f"/proc/{process.pid}/status").read_text()

    for what in ("Max data size", "Max address space", "Max file size", "Max cpu time"):
        line = next(line for line in limits.splitlines() if line.startswith(what))
        assert not line.removeprefix(what).split()[0].startswith("unlimited")
    uid = next(line for line in status.splitlines() if line.startswith("Uid")).split()[1]
    assert int(uid) == (65534 if os.geteuid() == 0 else os.getuid())


@pytest.mark.attack("D2")
@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_silence_and_dripping_end_at_the_deadline(short, kind):
    begun = time.monotonic()

    answer = fetched(short, kind, times=1)

    assert time.monotonic() - begun < 30  # with the start of a new process
    assert answer.outcome == "ok"  # asked once more
    assert len(short.standin.asked) == 2


def test_silence_twice_is_a_refusal_and_the_host_is_left_alone(short):
    answer = fetched(short, "hang")

    assert answer.outcome == "blocked"
    assert "no answer within" in answer.reason
    assert short.access.worker._process is None
    assert fetched(short, "none").outcome == "blocked"  # without being asked
    assert len(short.standin.asked) == 2


def test_a_process_that_does_not_start_is_given_the_time_it_had():
    with (
        Worker({}, start=0.01) as worker,
        pytest.raises(RuntimeError, match=r"does not start: no answer within 0\.01 s"),
    ):
        worker.ask("eastmoney", SHARE, lambda _: "", lambda *_: None)


def test_a_process_that_cannot_be_started_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with Worker({}) as worker, pytest.raises(RuntimeError, match=r"does not start: .*No such file"):
        worker.ask("eastmoney", SHARE, lambda _: "", lambda *_: None)

    assert not list(tmp_path.iterdir())


def test_a_failure_after_pages_that_came_counts_once_and_is_asked_for_again(reach):
    """Tencent is asked for the first week, and for one year after the other."""
    bars = reach.standin.market.bars["300308.SZ"]
    bars.insert(0, bars[0]._replace(day=date(2024, 1, 3)))
    asked = []

    def choose(request):
        asked.append(request)
        return Fault("http_502_html") if len(asked) == 4 else None

    reach.standin.choose = choose
    ask = Ask("prices", "300308.SZ", date(2024, 1, 2), LAST, LAST)

    assert upstreams(reach.access, ["tencent"])[0].fetch(ask).outcome == "ok"
    assert len(asked) == 2 * 4


@pytest.mark.attack("D4")
@pytest.mark.parametrize("kind", ["gzip_bomb", "two_hundred_megabytes"])
def test_however_large_a_body_is_little_memory_and_time_is_spent_on_it(reach, monkeypatch, kind):
    large = b"x" * (200 << 20)
    monkeypatch.setitem(
        faults._REPLIES, "two_hundred_megabytes", lambda reply: reply._replace(body=large)
    )
    upstreams(reach.access, ["eastmoney"])[0].fetch(SHARE)
    before, begun = _peak(reach), time.monotonic()

    answer = fetched(reach, kind)

    assert (answer.outcome, answer.replies) == ("corrupt", ())
    assert "more than 32 MB" in answer.reason
    assert _peak(reach) - before < 160 << 10  # what one reply may be, and what is read of it
    assert time.monotonic() - begun < reach.access.worker._deadline


def _peak(reach: Reach) -> int:
    """Return the most memory that akshare's process has had, in KiB."""
    process = reach.access.worker._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


@pytest.mark.attack("D1")
@pytest.mark.parametrize("name", ["eastmoney", "tencent", "sina"])
def test_a_reply_that_is_code_is_not_run(reach, name):
    mark = Path("/tmp/indexer-standin-ran")  # noqa: S108 (where the code in the reply would write)
    mark.unlink(missing_ok=True)

    answer = fetched(reach, "code_in_body", name)

    assert answer.outcome in {"corrupt", "blocked", "transient"}
    assert not mark.exists()


@pytest.mark.attack("D1")
def test_factors_that_are_code_are_not_evaluated(reach):
    """What stands behind the first sign of equality of this reply would be evaluated."""
    mark = Path("/tmp/indexer-standin-ran")  # noqa: S108
    mark.unlink(missing_ok=True)
    ask = Ask("prices", "NVDA.US", FIRST, LAST, LAST)
    reach.standin.choose = lambda r: Fault("code_in_body") if "_qfq.js" in r.path else None

    answer = upstreams(reach.access, ["sina"])[0].fetch(ask)

    assert (answer.outcome, mark.exists()) == ("corrupt", False)
    assert "no plain data" in answer.reason


def utf_7(text: str) -> str:
    """Return text packed into letters and figures, signs and all, by which no check can tell it."""
    return f"+{base64.b64encode(text.encode('utf-16-be')).decode().rstrip('=')}-"


@pytest.mark.attack("D1")
def test_factors_that_are_code_in_the_encoding_a_header_names_are_not_evaluated(reach, monkeypatch):
    mark = Path("/tmp/indexer-standin-ran")  # noqa: S108
    mark.unlink(missing_ok=True)
    code = utf_7(f'"+open("{mark}","w").name+"')
    assert "/" not in code  # which the check would find
    body = f'var x={{"data":[{{"d":"1900-01-01","f":"1","c":"0{code}"}}]}}\n'.encode()
    hostile = Reply(body, "application/javascript; charset=utf-7")
    monkeypatch.setitem(faults._REPLIES, "utf_7", lambda _: hostile)
    reach.standin.choose = lambda r: Fault("utf_7") if "_qfq.js" in r.path else None

    upstreams(reach.access, ["sina"])[0].fetch(Ask("prices", "NVDA.US", FIRST, LAST, LAST))

    assert not mark.exists()


@pytest.mark.attack("D1")
@pytest.mark.parametrize("charset", ["utf-7", "utf-16"])
def test_figures_are_those_of_the_bytes_whatever_encoding_a_header_names(
    reach, monkeypatch, charset
):
    true = fetched(reach, "none")
    bar = "2026-06-11,1.00,1.00,1.00,1.00,1000,100000.00,0,0,0,0"

    def renamed(reply: Reply) -> Reply:
        body = json.loads(reply.body)
        body["data"]["z"] = utf_7(f'","klines":["{bar}"],"z":"')
        headed = f"application/json; charset={charset}"
        return Reply(json.dumps(body).encode(), headed)

    monkeypatch.setitem(faults._REPLIES, "renamed", renamed)

    answer = fetched(reach, "renamed")

    assert answer.outcome == "ok"
    assert answer.frame.equals(true.frame)


def test_a_page_in_gbk_is_read_as_gbk_whatever_encoding_a_header_names(reach, monkeypatch):
    ask = Ask("fx", "USD/CNY", FIRST, LAST, LAST)
    source = upstreams(reach.access, ["sina"])[0]
    true = source.fetch(ask)
    monkeypatch.setitem(
        faults._REPLIES, "renamed", lambda r: Reply(r.body, "text/html; charset=utf-16")
    )
    reach.standin.choose = lambda _: Fault("renamed")

    assert source.fetch(ask).frame.equals(true.frame)


def test_a_process_that_is_killed_is_made_anew(reach):
    source = upstreams(reach.access, ["eastmoney"])[0]
    source.fetch(SHARE)
    process = reach.access.worker._process
    assert process is not None
    process.kill()

    died, again = source.fetch(SHARE), source.fetch(SHARE)

    assert (died.outcome, again.outcome) == ("corrupt", "ok")
    assert "died by signal 9" in died.reason


def test_nothing_of_it_is_left_when_it_is_stopped(reach, tmp_path):
    with Worker(os.environ | reach.standin.environment) as worker:
        access = Access(worker, Guard(reach.clock, pace=Pace(0, 0)), tmp_path)
        assert upstreams(access, ["eastmoney"])[0].fetch(SHARE).outcome == "ok"
        process, home = worker._process, worker._home

    assert process is not None
    assert process.poll() is not None
    assert not home.exists()


class _Poison:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.attack("D1")
@pytest.mark.parametrize(
    "said",
    [{"got": "u"}, {"got": "u", "status": "x", "function": "f"}, {"got": "u", "status": None}],
)
def test_a_reply_that_is_told_in_another_form_ends_it(said):
    with pytest.raises(Ended, match="of a reply"):
        _reply(said)


@pytest.mark.attack("D1")
@pytest.mark.parametrize("wrap", [lambda _: b"\xff" * 64, lambda p: p, framed])
def test_what_is_no_message_ends_it_and_is_not_unpickled(tmp_path, wrap):
    worker, mark = Worker({}), tmp_path / "executed"
    fake = _Fake(wrap(pickle.dumps(_Poison(mark))))
    worker._process = fake  # type: ignore[assignment]

    with fake.stdout, pytest.raises(Ended, match="does not speak as agreed"):
        worker._hear(5.0)
    assert not mark.exists()


@pytest.mark.attack("D1")
def test_an_object_in_a_table_is_handed_on_as_text(tmp_path):
    cell = child._plain(_Poison(tmp_path / "executed"))
    pipe = io.BytesIO()
    framing.write(pipe, {"done": "ok", "columns": {"close": [cell]}})
    pipe.seek(0)

    assert framing.read(pipe)[0]["columns"]["close"][0].startswith("<tests.market.sources")
    assert not (tmp_path / "executed").exists()


HOSTILE = """
import certifi, os, sys
from pathlib import Path
from indexer.market.sources.child import _give_up_rights
_give_up_rights(Path(certifi.__file__).parent)
ledger = Path(sys.argv[1])
def tried(act):
    try:
        act()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "done"
print(*map(tried, (
    lambda: Path("kept").write_bytes(b"x"),
    lambda: Path("large").write_bytes(bytes(17 << 20)),
    lambda: bytearray(2 << 30),
    lambda: ledger.read_bytes(),
    lambda: ledger.open("ab"),
    lambda: (ledger.parent / "new").write_bytes(b"x"),
    lambda: ledger.unlink(),
    lambda: os.kill(os.getppid(), 0),
    lambda: os.setuid(0),
)))
"""


@pytest.mark.attack("D1")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_code_that_ran_in_it_all_the_same_reaches_no_ledger(tmp_path):
    ledger, home = tmp_path / "ledger.db", tmp_path / "home"
    ledger.write_bytes(b"mine")
    home.mkdir()
    environment = {"PYTHONPATH": str(Path(indexer.__file__).parents[1])}
    found = subprocess.run(
        [sys.executable, "-c", HOSTILE, str(ledger)],
        check=True, capture_output=True, text=True, cwd=home, env=environment,
    )  # fmt: skip

    assert found.stdout.split() == ["done", "OSError", "MemoryError", *["PermissionError"] * 6]
    assert ledger.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("table", "symbol", "name"),
    [
        ("actions", "00700.HK", "eastmoney"),
        ("actions", "300308.SZ", "eastmoney"),
        ("actions", "300308.SZ", "cninfo"),
        ("shares", "300308.SZ", "eastmoney"),
        ("shares", "300308.SZ", "cninfo"),
    ],
)
def test_a_page_on_which_less_stands_than_is_counted_is_refused(reach, table, symbol, name):
    market = reach.standin.market
    paid = market.actions[symbol][0] | {"kind": "dividend", "cash": 0.5}
    days = [date(2026, 3, 10), date(2026, 4, 10), EX_DATE]
    market.actions[symbol] = [paid | {"ex_date": day} for day in days]
    market.shares[symbol] = [market.shares["300308.SZ"][0] | {"date": day} for day in days]
    reach.standin.choose = lambda _: Fault("truncated_page")

    answer = upstreams(reach.access, [name])[0].fetch(Ask(table, symbol, FIRST, LAST, LAST))

    assert (answer.outcome, answer.reason) == ("corrupt", "2 rows on all pages, and it counts 3")


@pytest.mark.attack("D2")
def test_a_certificate_that_nobody_vouches_for_is_not_believed(reach, tmp_path):
    environment = os.environ | reach.standin.environment
    del environment["REQUESTS_CA_BUNDLE"]
    with Worker(environment) as worker:
        access = Access(worker, Guard(reach.clock, pace=Pace(0, 0)), tmp_path)
        answer = upstreams(access, ["eastmoney"])[0].fetch(SHARE)

    assert (answer.outcome, answer.reason.partition(":")[0]) == ("blocked", "SSLError")
    assert not reach.standin.asked


@pytest.mark.attack("F7")
@pytest.mark.parametrize("proxy", ["http://u:secret@127.0.0.1:1", "http://u:secret@host:port"])
def test_no_password_of_a_proxy_is_told(reach, tmp_path, proxy):
    with Worker(os.environ | {"HTTPS_PROXY": proxy, "https_proxy": proxy}) as worker:
        access = Access(worker, Guard(reach.clock, pace=Pace(0, 0)), tmp_path)
        answer = upstreams(access, ["eastmoney"])[0].fetch(SHARE)

    assert answer.outcome in {"blocked", "transient"}
    assert "secret" not in str(answer)


@pytest.mark.attack("D3")
def test_the_script_engine_runs_in_it_and_not_here(reach):
    answer = upstreams(reach.access, ["sina"])[0].fetch(SHARE)
    process = reach.access.worker._process
    assert process is not None

    assert answer.outcome == "ok"
    assert "mini_racer" in Path(f"/proc/{process.pid}/maps").read_text()
    assert "mini_racer" not in Path("/proc/self/maps").read_text()
    assert not {"akshare", "py_mini_racer"} & set(sys.modules)


class _Fake:
    """A process that says some bytes and no more."""

    def __init__(self, says: bytes) -> None:
        read, write = os.pipe()
        os.write(write, says)
        os.close(write)
        self.stdout = os.fdopen(read, "rb", 0)


def test_a_question_it_does_not_know_is_a_bug_and_not_an_answer(reach):
    with pytest.raises(RuntimeError, match="KeyError"):
        upstreams(reach.access, ["safe"])[0].fetch(SHARE)


def test_dates_are_asked_in_the_form_the_upstream_takes(reach):
    upstreams(reach.access, ["eastmoney"])[0].fetch(SHARE)

    query = reach.standin.asked[0].query
    assert (query["secid"], query["beg"], query["end"]) == ("0.300308", "20260302", "20260612")
    assert query["fqt"] == "0"  # raw
    assert date.today() >= LAST  # noqa: DTZ011 (akshare's own idea of the last year)
