"""When a host may be asked, on a clock that moves only when told."""

import errno
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from indexer.errors import OutputError
from indexer.market.sources.guard import FAILURES, REST, Guard, Pace
from tests.market.sources.standin import StillClock, evening

HOST = "push2his.eastmoney.com"


@pytest.fixture
def clock():
    return StillClock(evening())


def guard_of(clock, file=None, **pace):
    return Guard(clock, file, Pace(**pace), draw=lambda: 0.5)


def test_two_requests_to_one_host_are_spaced_and_the_first_is_not_kept_waiting(clock):
    guard = guard_of(clock, spacing=3, jitter=4)

    guard.wait(HOST)
    guard.wait(HOST)

    assert clock.slept == [5.0]


def test_time_that_has_passed_anyway_is_not_waited_for_again(clock):
    guard = guard_of(clock, spacing=3, jitter=4)
    guard.wait(HOST)
    clock.at += timedelta(seconds=2)

    guard.wait(HOST)

    assert clock.slept == [3.0]


def test_hosts_have_turns_of_their_own_and_mirrors_share_one(clock):
    guard = guard_of(clock, spacing=3, jitter=0)

    for host in ("proxy.finance.qq.com", HOST, f"33.{HOST}"):
        guard.wait(host)

    assert clock.slept == [3.0]


def test_a_host_that_fails_twice_in_a_row_is_left_alone_for_half_an_hour(clock):
    guard = guard_of(clock)

    rests = [guard.note(HOST, failed=True) for _ in range(FAILURES)]

    assert rests == [False, True]
    assert guard.refusal(HOST).startswith(f"{HOST} refused 2 times in a row")
    clock.at += REST - timedelta(seconds=1)
    assert guard.refusal(HOST)
    clock.at += timedelta(seconds=1)
    assert not guard.refusal(HOST)


def test_after_the_rest_the_first_failure_is_enough(clock):
    guard = guard_of(clock)
    for _ in range(FAILURES):
        guard.note(HOST, failed=True)
    clock.at += REST

    assert guard.note(HOST, failed=True)


def test_an_answer_between_two_failures_starts_the_count_anew(clock):
    guard = guard_of(clock)

    for failed in (True, False, True):
        guard.note(HOST, failed=failed)

    assert not guard.refusal(HOST)


def test_a_host_is_asked_so_many_times_a_day_and_again_the_next(clock):
    guard = guard_of(clock, spacing=0, jitter=0, daily=2)

    for _ in range(2):
        guard.wait(HOST)

    assert "asked 2 times today" in guard.refusal(HOST)
    clock.at += timedelta(days=1)
    assert not guard.refusal(HOST)


def test_what_was_asked_and_refused_is_remembered_by_the_next_process(clock, tmp_path):
    file = tmp_path / "sources" / "pace.json"
    first = guard_of(clock, file, spacing=3, jitter=0, daily=1)
    first.wait(HOST)
    for _ in range(FAILURES):
        first.note("finance.sina.com.cn", failed=True)

    second = guard_of(clock, file, spacing=3, jitter=0, daily=1)

    assert "asked 1 times today" in second.refusal(HOST)
    assert "left alone" in second.refusal("finance.sina.com.cn")


def test_a_memory_that_cannot_be_written_is_an_error_and_leaves_nothing(
    clock, tmp_path, monkeypatch
):
    """As on a full disk."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=r"pace\.json: cannot be written: No space left"):
        guard_of(clock, tmp_path / "pace.json").wait(HOST)

    assert [path.name for path in tmp_path.iterdir() if "json" in path.name] == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"a": 1}', '{"a": {"next_at": "soon"}}', '{"a": {"b": 1}}'),
        *('{"a": {"asked": "5"}}', '{"a": {"asked": null}}', '{"a": {"failed": true}}'),
        *('{"a": {"day": 1}}', "[" * 100_000),
    ],
    ids=range(11),
)
def test_a_memory_that_is_not_ours_is_none(clock, tmp_path, text):
    file = tmp_path / "pace.json"
    file.write_text(text)

    assert not guard_of(clock, file).refusal(HOST)


def test_a_clock_put_back_delays_no_longer_than_the_pace(clock):
    guard = guard_of(clock, spacing=3, jitter=4)
    guard.wait(HOST)
    clock.at -= timedelta(days=30)

    guard.wait(HOST)

    assert clock.slept == [7.0]


@pytest.fixture
def two(clock, tmp_path):
    """Return guards as two processes have them that both run already."""
    guards = [guard_of(clock, tmp_path / "pace.json", spacing=3, jitter=0) for _ in "12"]
    for guard in guards:
        guard.note("other.cn", failed=False)
    return guards


@pytest.mark.parametrize(
    "act", [lambda g: g.wait("a.cn"), lambda g: g.note("a.cn", failed=False)], ids=["wait", "note"]
)
def test_what_one_process_was_refused_another_does_not_erase(clock, tmp_path, two, act):
    for _ in range(FAILURES):
        two[0].note(HOST, failed=True)

    act(two[1])

    assert "left alone" in guard_of(clock, tmp_path / "pace.json").refusal(HOST)


def test_a_process_hears_of_what_another_was_refused(two):
    for _ in range(FAILURES):
        two[0].note(HOST, failed=True)

    assert "left alone" in two[1].refusal(HOST)


def test_what_another_was_refused_during_the_wait_is_heard_of(clock, two):
    first, second = two
    assert second.wait(HOST) == ""
    clock.sleep = lambda _: [first.note(HOST, failed=True) for _ in range(FAILURES)]

    assert "left alone" in second.wait(HOST)


def test_turns_of_a_host_are_shared_by_all_processes(clock, two):
    two[0].wait(HOST)

    two[1].wait(HOST)

    assert clock.slept == [3.0]


ASKING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from indexer.market.sources.guard import Guard, Pace
class Clock:
    def now(self):
        return datetime(2026, 6, 12, 12, tzinfo=UTC)
guard = Guard(Clock(), Path(sys.argv[1]), Pace(0, 0))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(200):
    guard.wait("one.cn")
    guard.note(sys.argv[2], failed=False)
"""


def test_no_request_of_two_processes_at_once_is_lost(tmp_path):
    file = tmp_path / "pace.json"
    command = [sys.executable, "-c", ASKING, str(file)]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen([*command, name], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for name in ("a.cn", "b.cn")
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()  # both have begun
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    said = [process.communicate()[1] for process in running]

    assert said == ["", ""]
    kept = json.loads(file.read_text())
    assert (kept["one.cn"]["asked"], set(kept)) == (400, {"one.cn", "a.cn", "b.cn"})
