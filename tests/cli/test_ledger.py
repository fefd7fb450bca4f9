"""The ledger's commands as a scheduler runs them: exit codes, what they print and write."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from polars.exceptions import PanicException

from indexer.cli import ledger as ledger_commands
from indexer.cli.ledger import restate
from indexer.errors import TryAgainError
from indexer.ledger.correct import REASONS
from indexer.ledger.database import open_ledger
from indexer.report.words import RULES
from indexer.run.desk import Outcome
from indexer.run.gate import UNYIELDING
from indexer.run.publish import publish as publish_all
from indexer.run.rebuild import built
from tests.ledger.chain import changed
from tests.run.desk import DAYS, SYMBOLS, basket, files, folder, moved, prices

DAY = DAYS[4].isoformat()
RANGE = ("--from", DAYS[0].isoformat(), "--to", DAY)
WHY = ("--reason", "bad-price", "--note", "a typing error", "--by", "Ada")


@pytest.fixture
def indexer(indexer, tmp_path, monkeypatch):
    """Return a way to run the command line beside an index and a market."""
    monkeypatch.delenv("INDEXER_LEDGER", raising=False)
    basket(tmp_path)
    folder(tmp_path / "market")
    return indexer


def publish(indexer, *more, market="market"):
    return indexer("publish", "trio.yaml", "--market", market, *more)


def test_a_session_is_published_and_said(indexer):
    code, out, _ = publish(indexer, "--date", DAY)

    assert code == 0
    assert out == f"trio: published {DAY}\n  price  1031.0824  revision 1\n"
    assert Path("indexer.db").is_file()
    assert Path("out/trio/trio_20260306_r1.csv").is_file()


def test_the_same_again_is_no_error(indexer):
    publish(indexer, *RANGE)
    before = files(Path("out/trio"))
    code, out, _ = publish(indexer, *RANGE)

    assert (code, out) == (0, f"trio: unchanged {DAYS[0]} – {DAY}\n")
    assert files(Path("out/trio")) == before


def test_a_day_that_is_no_session_is_no_error(indexer):
    code, out, _ = publish(indexer, "--date", "2026-03-07")

    assert (code, out) == (0, "trio: no session\n")


def test_a_day_that_is_no_session_is_told_with_the_sessions_beside_it(indexer):
    _, _, err = publish(indexer, "--date", "2026-03-07")
    said = "trio: XSHG is closed on 2026-03-07, the nearest sessions are 2026-03-06 and 2026-03-09"

    assert err.splitlines()[0] == f"note: {said}"


def test_a_session_to_come_is_75(indexer):
    assert publish(indexer, "--date", "2026-12-30")[0] == 75


@pytest.mark.parametrize(
    "given",
    [
        ("--override", "R16"),
        ("--override", "R16", "--by", "Ada"),
        ("--override", "R16", "--note", "a takeover bid"),
        ("--date", DAY, "--from", DAY),
        ("--from", DAY, "--to", DAYS[0].isoformat()),
        ("--date", "yesterday"),
    ],
)
def test_wrong_usage_is_2_and_makes_no_ledger(indexer, given):
    assert publish(indexer, *given)[0] == 2
    assert not Path("indexer.db").exists()


def test_json_is_one_object(indexer):
    code, out, _ = publish(indexer, *RANGE, "--json")
    told = json.loads(out)["outcomes"][0]

    assert code == 0
    assert (told["subject"], told["state"], told["entries"]) == ("trio", "published", 5)
    assert told["levels"] == [
        {"session": DAY, "variant": "price", "level": "1031.0824", "revision": 1}
    ]


@pytest.mark.parametrize("bug", [ZeroDivisionError, PanicException])
def test_a_bug_that_one_index_meets_holds_up_no_other(indexer, tmp_path, monkeypatch, bug):
    """R40: what is no error of ours either; the log says what it was, for the desk to report."""

    def broken(definition, *given):
        if definition.id == "trio":
            raise bug("met")
        return built(definition, *given)

    basket(tmp_path, id="duo")
    monkeypatch.setattr("indexer.run.publish.built", broken)
    code, out, err = publish(indexer, "duo.yaml", "--date", DAY)
    told = {one["subject"]: one for one in json.loads(err.splitlines()[-1])["outcomes"]}

    assert code == 70
    assert out.splitlines()[:2] == [f"trio: failed {DAY}", f"duo: published {DAY}"]
    assert f"{bug.__name__}: met: this is a bug in indexer" in err
    assert "Traceback" in told["trio"]["error"]
    assert told["duo"]["error"] is None


def test_restating_a_day_that_stays_as_it_is_says_so(indexer):
    publish(indexer, *RANGE)
    given = ("restate", "trio", "--market", "market", *WHY)

    assert indexer(*given, "--from", DAY, "--to", DAY)[:2] == (0, "trio: unchanged\n")


@pytest.mark.parametrize("days", [("2026-03-07", "2026-03-07"), ("2099-01-01", None)])
def test_restating_days_of_which_nothing_is_published_is_refused(indexer, days):
    publish(indexer, *RANGE)
    first, last = days
    period = ("--from", first, *(("--to", last) if last else ()))
    code, _, err = indexer("restate", "trio", "--market", "market", *WHY, *period)

    assert code == 65
    assert "has no published session then: they run from 2026-03-0" in err


def test_a_restatement_of_a_reversed_range_is_an_error_of_use_alone(indexer):
    publish(indexer, *RANGE)
    period = ("--from", "2026-03-06", "--to", "2026-03-05")
    code, _, err = indexer("restate", "trio", "--market", "market", *WHY, *period)

    assert code == 2
    assert "this is a bug" not in err


@pytest.mark.parametrize(
    ("command", "broken"),
    [
        (("publish", "trio.yaml"), "indexer.run.publish.read_market"),
        (("restate", "trio", "--from", DAY, *WHY), "indexer.run.restate.read_market"),
    ],
)
def test_a_run_that_ends_with_a_bug_leaves_its_line_in_the_log(
    indexer, monkeypatch, command, broken
):
    publish(indexer, "--date", DAY)
    monkeypatch.setattr(broken, None)
    code, _, err = indexer(*command, "--market", "market")
    told = next(json.loads(line) for line in err.splitlines() if line.startswith("{"))

    assert (code, told["event"], told["exit"]) == (70, command[0], 70)
    assert "TypeError" in told["error"]
    assert "Traceback" in err


@pytest.mark.parametrize("bug", [ZeroDivisionError, PanicException])
def test_figures_tell_of_a_run_that_ends_with_a_bug(indexer, monkeypatch, bug):
    def fails(*_, **__):
        raise bug("met")

    publish(indexer, "--date", DAY)
    monkeypatch.setattr("indexer.run.publish.read_market", fails)
    publish(indexer, "--date", DAY)

    assert "indexer_run_exit_code 70" in Path("out/indexer.prom").read_text(encoding="utf-8")


def test_the_log_is_one_line_of_json(indexer):
    _, _, err = publish(indexer, "--date", DAY)
    told = json.loads(err.splitlines()[-1])

    assert (told["event"], told["exit"]) == ("publish", 0)
    assert told["outcomes"][0]["sessions"] == [DAY, DAY]  # the first and the last


def test_a_run_is_named_by_its_instant_and_eight_digits_of_what_it_was_asked(indexer):
    _, _, err = publish(indexer, "--date", DAY)

    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", json.loads(err.splitlines()[-1])["run"])


def test_the_log_is_written_though_figures_cannot_be(indexer):
    Path("figures").mkdir()
    code, _, err = publish(indexer, "--date", DAY, "--metrics", "figures")

    assert code == 73
    assert any(line.startswith("{") and json.loads(line) for line in err.splitlines())


def lines_of(err):
    """Return the lines of the log among what was said."""
    return [json.loads(line) for line in err.splitlines() if line.startswith("{")]


def test_a_run_that_fails_as_a_whole_is_logged_too(indexer):
    code, out, err = publish(indexer, "--date", DAY, market="nowhere")
    [told] = lines_of(err)

    assert (code, out) == (66, "")
    assert (told["exit"], told["outcomes"]) == (66, [])
    assert told["error"] == "nowhere: no such market folder"


def test_a_run_without_a_ledger_is_logged_without_a_name(indexer):
    _, _, err = publish(indexer, "--date", DAY, "--ledger", "sqlite:///market")
    [told] = lines_of(err)

    assert (told["exit"], told["run"]) == (65, None)


def test_figures_are_those_of_the_last_run_though_it_failed_as_a_whole(indexer):
    publish(indexer, "--date", DAY)
    publish(indexer, "--date", DAY, market="nowhere")
    text = Path("out/indexer.prom").read_text(encoding="utf-8")

    assert "indexer_run_exit_code 66\n" in text
    assert "indexer_outcome{" not in text


def test_a_dry_run_that_fails_as_a_whole_writes_nothing(indexer, tmp_path):
    before = files(tmp_path)
    publish(indexer, "--date", DAY, "--dry-run", market="nowhere")

    assert files(tmp_path) == before


def test_figures_that_cannot_be_written_do_not_hide_why_a_run_failed(indexer):
    Path("figures").mkdir()
    code, _, err = publish(indexer, "--date", DAY, "--metrics", "figures", market="nowhere")

    assert code == 66
    assert "warning: figures: cannot be written" in err
    assert "error: nowhere: no such market folder" in err


def test_figures_are_written_where_they_are_wanted(indexer):
    publish(indexer, "--date", DAY, "--metrics", "node/indexer.prom")
    text = Path("node/indexer.prom").read_text(encoding="utf-8")

    assert "indexer_run_exit_code 0\n" in text
    assert 'indexer_entries_appended{subject="trio"} 1\n' in text


def test_what_is_refused_says_its_session_and_the_last_one_stays(indexer, tmp_path):
    publish(indexer, "--date", DAYS[0])
    folder(tmp_path / "new", prices(**moved(SYMBOLS[0], DAYS[0], 30)))
    code, out, _ = publish(indexer, "--date", DAY, "--metrics", "indexer.prom", market="new")

    assert (code, out) == (65, f"trio: refused {DAY}\n")
    assert last_session() == DAYS[0]


def last_session():
    """Return the date in the metrics of the last session that is published."""
    lines = Path("indexer.prom").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith("indexer_last_session_timestamp_seconds{")]
    return datetime.fromtimestamp(float(line.split()[-1]), UTC).date()


def test_the_last_session_does_not_go_back_when_a_gap_is_filled(indexer):
    publish(indexer, "--date", DAYS[1])
    publish(indexer, "--date", DAYS[0], "--metrics", "indexer.prom")

    assert last_session() == DAYS[1]


def test_what_waits_has_a_last_session_too(indexer):
    publish(indexer, "--date", DAYS[0])
    code, *_ = publish(indexer, "--metrics", "indexer.prom")

    assert (code, last_session()) == (75, DAYS[0])


@pytest.mark.parametrize("words", [("--by", " ", "--note", "x"), ("--by", "Ada", "--note", "")])
def test_who_decided_and_why_are_said(indexer, words):
    publish(indexer, "--date", DAYS[0])
    asked = ("restate", "trio", "--market", "market", "--from", DAYS[0], "--reason", "bad-price")
    code, _, err = indexer(*asked, *words)

    assert (code, "is blank: it is kept for good, say it" in err) == (2, True)


def test_what_is_in_the_ledger_is_told_though_its_files_cannot_be_written(indexer):
    Path("out").mkdir()
    Path("out/trio").write_text("in the way", encoding="utf-8")
    code, out, err = publish(indexer, "--date", DAYS[0], "--metrics", "indexer.prom")
    told = json.loads(err.splitlines()[-1])["outcomes"][0]

    assert code == 73
    assert (told["state"], told["entries"]) == ("published", [1, 1])
    assert "cannot be written" in told["error"]
    assert f"trio: published {DAYS[0]}" in out


def test_a_dry_run_writes_nothing_at_all(indexer, tmp_path):
    before = files(tmp_path)
    code, out, _ = publish(indexer, *RANGE, "--dry-run")

    assert code == 0
    assert out == f"trio: would publish {DAYS[0]} – {DAY}\n  price  1031.0824  revision 1\n"
    assert files(tmp_path) == before
    assert not Path("out").exists()


def test_whatever_becomes_of_it_an_invented_market_is_marked(indexer, tmp_path):
    """Also where there is no entry that says so."""
    Path("market/manifest.yaml").write_text("synthetic: true\n", encoding="utf-8")
    changed = folder(tmp_path / "new", prices(**moved(SYMBOLS[0], DAYS[2], 30)))
    (changed / "manifest.yaml").write_text("synthetic: true\n", encoding="utf-8")
    ways = {
        "would publish": lambda: publish(indexer, *RANGE, "--dry-run"),
        "published": lambda: publish(indexer, *RANGE),
        "unchanged": lambda: publish(indexer, *RANGE),
        "refused": lambda: publish(indexer, "--date", DAY, market="new"),
        "no session": lambda: publish(indexer, "--date", "2026-03-07"),
        "delayed": lambda: publish(indexer, "--date", "2026-12-30"),
    }
    for state, way in ways.items():
        line = way()[1].splitlines()[0]
        assert line.startswith(f"trio: {state}")
        assert line.endswith("  SYNTHETIC DATA")


# --- a deadline -------------------------------------------------------------------------------

MIDNIGHT = ("--wait-until", "00:00", "--deadline", "00:00")  # from now on, until the day is over


def meanwhile(monkeypatch, way):
    """Let something happen while a run waits, which is not when it need not."""
    monkeypatch.setattr("time.sleep", lambda seconds: seconds and way())


def two(indexer, tmp_path, monkeypatch):
    """Publish an index at once, and another whose data come while the run waits."""
    other = "600009.SH"
    basket(tmp_path, id="lonely", constituents=[{"symbol": other}])
    folder(tmp_path / "market", prices() + prices(DAYS[:4], [other]))
    whole = prices(symbols=[*SYMBOLS, other])
    meanwhile(monkeypatch, lambda: folder(tmp_path / "market", whole))
    return publish(indexer, "lonely.yaml", "--date", DAY, *MIDNIGHT)


def test_what_an_earlier_attempt_published_is_told_in_the_end(indexer, tmp_path, monkeypatch):
    code, out, _ = two(indexer, tmp_path, monkeypatch)

    assert code == 0
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [
        f"trio: published {DAY}",
        f"lonely: published {DAY}",
    ]


def test_figures_count_the_entries_of_all_attempts(indexer, tmp_path, monkeypatch):
    two(indexer, tmp_path, monkeypatch)
    text = Path("out/indexer.prom").read_text(encoding="utf-8")

    assert 'indexer_entries_appended{subject="trio"} 1\n' in text


def test_each_attempt_is_logged_under_the_name_its_entries_have(indexer, tmp_path, monkeypatch):
    _, _, err = two(indexer, tmp_path, monkeypatch)
    told = lines_of(err)
    runs = [
        json.loads(indexer("history", id, "--format", "json")[1])[0]["run"]
        for id in ("trio", "lonely")
    ]

    assert [(line["exit"], line["run"]) for line in told] == [(75, runs[0]), (0, runs[1])]


def test_what_was_published_is_told_though_the_last_attempt_failed(indexer, tmp_path, monkeypatch):
    basket(tmp_path, id="lonely", constituents=[{"symbol": "600009.SH"}])
    folder(tmp_path / "market", prices() + prices(DAYS[:4], ["600009.SH"]))
    meanwhile(monkeypatch, (tmp_path / "market" / "prices.csv").unlink)
    code, out, _ = publish(indexer, "lonely.yaml", "--date", DAY, *MIDNIGHT)

    assert code == 66
    assert f"trio: published {DAY}\n" in out
    assert f"lonely: delayed {DAY}\n" in out


def test_a_deadline_that_is_not_after_the_beginning_is_tomorrow(indexer, tmp_path, monkeypatch):
    folder(tmp_path / "market", prices(DAYS[:4]))
    meanwhile(monkeypatch, lambda: folder(tmp_path / "market"))

    assert publish(indexer, "--date", DAY, *MIDNIGHT)[0] == 0


def test_a_deadline_that_is_past_gives_one_attempt(indexer, tmp_path, monkeypatch):
    folder(tmp_path / "market", prices(DAYS[:4]))
    meanwhile(monkeypatch, lambda: folder(tmp_path / "market"))

    assert publish(indexer, "--date", DAY, "--deadline", "00:00")[0] == 75


def test_a_deadline_does_not_make_a_wrong_name_hold_up_the_others(indexer):
    given = ("nope", "trio.yaml", "--market", "market", "--date", DAY, "--deadline", "00:00")
    code, out, _ = indexer("publish", *given)

    assert code == 66
    assert f"trio: published {DAY}\n" in out


# --- corrections ------------------------------------------------------------------------------


def test_a_restatement_that_is_refused_leaves_a_line_in_the_log(indexer, tmp_path):
    publish(indexer, *RANGE)
    code, _, err = indexer("restate", "trio", "--market", "none", "--from", DAYS[0], *WHY)
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]

    assert [(line["event"], line["exit"]) for line in lines] == [("restate", code)]


def test_changed_closes_are_65_until_they_are_restated(indexer, tmp_path):
    publish(indexer, *RANGE)
    folder(tmp_path / "new", prices(**moved(SYMBOLS[0], DAYS[2], 30)))
    code, _, err = publish(indexer, "--date", DAY, market="new")
    assert (code, "would now differ" in err) == (65, True)

    code, out, err = indexer(
        "restate", "trio", "--market", "new", "--from", DAYS[0], "--to", DAYS[2], *WHY
    )
    assert (code, "trio: restated" in out) == (0, True)
    assert "warning: 1 published session outside the range would differ too" in err

    indexer("restate", "trio", "--market", "new", "--from", DAYS[0], *WHY)
    assert publish(indexer, "--date", DAY, market="new")[0] == 0


def noted(indexer, tmp_path, *more):
    """Publish a session, then by rule from a market that makes hardly another level of it."""
    publish(indexer, "--date", DAY)
    folder(tmp_path / "new", prices(**moved(SYMBOLS[0], DAYS[4], 0.5)))
    return publish(indexer, "--date", DAY, "--correct", *more, market="new")


def test_what_is_only_recorded_is_not_said_to_be_published(indexer, tmp_path):
    code, out, err = noted(indexer, tmp_path)

    assert code == 0
    assert out == f"trio: unchanged {DAY}\n  1 session recorded as known and immaterial\n"
    assert json.loads(err.splitlines()[-1])["outcomes"][0]["state"] == "unchanged"


def test_a_dry_run_does_not_say_that_it_would_publish_what_it_would_record(indexer, tmp_path):
    _, out, _ = noted(indexer, tmp_path, "--dry-run")

    assert out.startswith(f"trio: unchanged {DAY}\n  1 session recorded")


def test_figures_do_not_count_what_is_recorded_as_published(indexer, tmp_path):
    noted(indexer, tmp_path, "--metrics", "indexer.prom")

    assert 'indexer_outcome{subject="trio",state="unchanged"} 1' in Path("indexer.prom").read_text(
        encoding="utf-8"
    )


def test_the_level_shown_is_the_one_published_last(indexer, tmp_path):
    """Not one of an earlier session that was only recorded."""
    publish(indexer, "--date", DAYS[3])
    folder(tmp_path / "new", prices(**moved(SYMBOLS[0], DAYS[3], 0.5)))
    _, out, _ = publish(indexer, "--date", DAY, "--correct", market="new")

    assert "  price  1031.0824  revision 1\n  1 session recorded" in out


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_ledger_in_memory_publishes_nothing(indexer, url):
    """What it had published would be gone with the run."""
    code, _, err = publish(indexer, "--date", DAY, "--ledger", url)

    assert code == 65
    assert "gone with the run: name a file, as sqlite:///indexer.db" in err
    assert not list(Path("out").rglob("*.csv"))


def test_a_level_of_another_session_than_was_asked_for_is_shown_with_it(indexer, tmp_path):
    """All that was asked for stands; a session before it is corrected."""
    publish(indexer, *RANGE)
    market = folder(tmp_path / "other", prices(**moved(SYMBOLS[0], DAYS[2], 5)))
    _, out, _ = publish(indexer, "--date", DAY, "--correct", "--by", "Ada", market=market)

    assert f"revision 2 of {DAYS[3]}\n" in out


def test_what_is_corrected_by_rule_is_told(indexer, tmp_path):
    publish(indexer, *RANGE)
    market = folder(tmp_path / "other", prices(**moved(SYMBOLS[0], DAYS[3], 5)))
    day = DAYS[5].isoformat()
    _, _, err = publish(indexer, "--date", day, "--correct", "--by", "Ada", market=market)
    told = [line for line in err.splitlines() if line.startswith("corrected: ")]

    assert [line.split(": ")[1] for line in told] == [DAYS[3].isoformat(), DAYS[4].isoformat()]
    assert told[0].endswith("(+5 bp)")


def test_what_gates_note_is_told_once_a_rule(indexer, tmp_path):
    basket(tmp_path, constituents=[{"symbol": s} for s in (*SYMBOLS, "600099.SH")])
    _, _, err = publish(indexer, *RANGE)
    message = "left out, without any close in the folder: 600099.SH: add their closes, or take"

    assert f"note: trio: R15: {DAY}: {message}" in err
    assert err.count("note: ") == 1
    assert "(and on 4 sessions before)" in err


def test_who_overrides_is_told(indexer, tmp_path):
    market = folder(tmp_path / "spiked", prices(s600001_20260309=44.0))
    taken = ("--override", "R16", "--by", "Ada", "--note", "a takeover bid")
    _, _, err = publish(indexer, "--date", "2026-03-09", *taken, market=market)

    assert "note: trio: R16, overridden by Ada: " in err


def test_each_finding_that_is_overridden_is_told(indexer, tmp_path):
    market = folder(tmp_path / "spiked", prices(s600001_20260309=44.0, s600002_20260309=66.0))
    taken = ("--override", "R16", "--by", "Ada", "--note", "two bids")
    _, _, err = publish(indexer, "--date", "2026-03-09", *taken, market=market)

    assert err.count("note: trio: R16, overridden by Ada: ") == 2
    assert "session before" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("reader", ["full", "gone"])
def test_without_a_reader_the_log_and_the_figures_are_written(indexer, tmp_path, reader):
    """Of a process of its own: Python itself writes what is left when it ends."""
    words = ["publish", "trio.yaml", "--market", "market", "--date", DAY]
    program = [sys.executable, "-c", "from indexer.cli.app import main; main()", *words]
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone, Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            program,
            stdout=full if reader == "full" else gone,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
        )
    log = json.loads(next(line for line in ended.stderr.splitlines() if line.startswith(b"{")))

    assert ended.returncode == 73
    assert log["outcomes"][0]["state"] == "published"
    assert Path("out/indexer.prom").is_file()
    assert (b"No space left on device" in ended.stderr) is (reader == "full")


def test_a_restatement_tells_what_it_could_not_compare(indexer, tmp_path):
    publish(indexer, *RANGE)
    folder(tmp_path / "short", prices(DAYS[:4], **moved(SYMBOLS[0], DAYS[2], 5)))
    given = ("--market", "short", "--from", DAYS[2], "--to", DAYS[2], *WHY)
    code, _, err = indexer("restate", "trio", *given)

    assert code == 0
    assert "warning: the market ends before 1 published session" in err


def test_a_restatement_of_nothing_is_refused(indexer):
    code, _, _ = indexer("restate", "trio", "--market", "market", "--from", DAY, *WHY)

    assert code == 66
    assert not Path("indexer.db").exists()


@pytest.mark.parametrize("left_out", ["--reason", "--note", "--by"])
def test_a_restatement_without_its_grounds_is_2(indexer, left_out):
    at = WHY.index(left_out)
    given = WHY[:at] + WHY[at + 2 :]

    assert indexer("restate", "trio", "--market", "market", "--from", DAY, *given)[0] == 2


def test_the_grounds_on_offer_are_those_of_the_ledger():
    [offered] = (option.type.choices for option in restate.params if option.name == "reason")

    assert tuple(offered) == REASONS


def test_the_rules_that_may_be_overridden_are_the_gates_that_pages_can_name():
    [offered] = (o.type.choices for o in ledger_commands.publish.params if o.name == "override")

    assert set(offered) == set(RULES) - {"R30"}  # a definition that has changed shuts no gate
    assert not set(offered) & UNYIELDING


def test_one_bad_index_of_two_is_told_by_the_exit_code(indexer, tmp_path):
    basket(tmp_path, id="lonely", constituents=[{"symbol": "600009.SH"}])
    code, out, err = publish(indexer, "lonely.yaml", "--date", DAY)

    assert code == 66
    assert "trio: published" in out
    assert "error: " in err


def test_a_history_is_the_columns_of_the_contract(indexer):
    publish(indexer, *RANGE)
    code, out, _ = indexer("history", "trio", "--variant", "price")
    lines = out.splitlines()

    assert (code, len(lines)) == (0, 6)
    assert lines[0].startswith(
        "date,variant,level,level_exact,divisor,revision,status,published_at"
    )
    assert lines[5].startswith(f"{DAY},price,1031.0824,1031.08235312722")


def test_a_history_says_how_far_it_is_back_tested(indexer, tmp_path):
    basket(tmp_path, selected_on=DAYS[2].isoformat())
    publish(indexer, *RANGE)

    assert indexer("history", "trio")[2] == f"note: trio: back-tested up to {DAYS[1]}\n"


def test_a_history_in_json_reads_back(indexer):
    publish(indexer, "--date", DAY)
    _, out, _ = indexer("history", "trio", "--format", "json")

    assert json.loads(out)[0]["level_exact"] == 1031.0823531272276


def test_before_it_was_published_nothing_was_known(indexer):
    publish(indexer, "--date", DAY)
    _, out, _ = indexer("history", "trio", "--as-known-at", "2026-03-06T18:00:00+08:00")

    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(
    ("instant", "lines"), [("0001-01-01T00:00:00+08:00", 1), ("9999-12-31T23:59:59-14:00", 2)]
)
def test_an_instant_beyond_the_calendar_is_before_or_after_everything(indexer, instant, lines):
    publish(indexer, "--date", DAY)
    code, out, _ = indexer("history", "trio", "--as-known-at", instant)

    assert (code, len(out.splitlines())) == (0, lines)


@pytest.mark.parametrize("instant", ["yesterday", "2026-03-06", "2026-03-06T18:00:00"])
def test_an_instant_without_a_zone_is_2(indexer, instant):
    publish(indexer, "--date", DAY)

    assert indexer("history", "trio", "--as-known-at", instant)[0] == 2


def test_a_variant_that_is_not_published_is_66(indexer):
    publish(indexer, "--date", DAY)
    code, _, err = indexer("history", "trio", "--variant", "net")

    assert code == 66
    assert "trio: has no variant net: it is published as price" in err


def test_the_history_of_nobody_is_66(indexer):
    publish(indexer, "--date", DAY)

    assert indexer("history", "nobody")[0] == 66


def test_verification_says_how_much_was_found(indexer):
    publish(indexer, *RANGE)
    code, out, _ = indexer("verify", "--out", "out", "--market", "market", "--inputs", "--json")
    told = json.loads(out)

    assert (code, told["entries"], told["built"], told["files"]) == (0, 5, 10, True)


def test_verification_says_in_words_what_it_made_again(indexer):
    publish(indexer, "--date", DAY)
    _, one, _ = indexer("verify", "--out", "out")
    _, both, _ = indexer("verify", "--market", "market", "--inputs")

    assert re.fullmatch(
        r"1 entry stands, the last is [0-9a-f]{64}\n"
        r"published files below out are those of the ledger\n",
        one,
    )
    made = "from the market or from what was kept, each the same to the last bit"
    assert both.splitlines()[1:] == [f"2 times an entry was made again, {made}"]


def test_a_published_file_that_was_altered_is_65(indexer):
    publish(indexer, *RANGE)
    Path("out/trio/latest.csv").write_text("altered", encoding="utf-8")
    code, _, err = indexer("verify", "--out", "out")

    assert (code, "latest.csv: is not what was published" in err) == (65, True)


@pytest.mark.parametrize("value", ["'much'", "x'01'", "9e999", "0.0"])
def test_a_level_that_none_was_is_65_for_everybody_who_reads_it(indexer, tmp_path, value):
    publish(indexer, *RANGE)
    engine = open_ledger(f"sqlite:///{tmp_path / 'indexer.db'}")
    changed(engine, f"UPDATE levels SET level_exact = {value} WHERE entry = 4")  # noqa: S608
    commands = ["verify"], ["history", "trio", "--format", "json"], ["report", "trio"], ["export"]

    for command in commands:
        code, _, err = indexer(*command)
        assert (code, "the database is damaged: levels.level_exact" in err) == (65, True), command


def test_a_subject_that_is_no_text_is_65_for_the_doctor(indexer, tmp_path):
    publish(indexer, *RANGE)
    engine = open_ledger(f"sqlite:///{tmp_path / 'indexer.db'}")
    changed(engine, "UPDATE entries SET subject = x'78' WHERE number = 4")

    assert indexer("doctor")[0] == 65


def test_an_export_writes_what_was_published(indexer):
    publish(indexer, *RANGE)

    assert indexer("export", "--out", "copy")[0] == 0
    assert files(Path("copy/trio")) == files(Path("out/trio"))


def test_an_export_names_its_files_as_json(indexer):
    publish(indexer, *RANGE)
    found = json.loads(indexer("export", "--out", "copy", "--json")[1])

    assert sorted(found["files"]) == sorted(
        f"copy/trio/{name}" for name in files(Path("copy/trio"))
    )


def test_a_retirement_is_told_as_json(indexer):
    publish(indexer, *RANGE)
    decided = ("retire", "trio", "--reason", "over", "--by", "Ada", "--json")
    first, again = (json.loads(indexer(*decided)[1]) for _ in range(2))

    last = {"index": "trio", "number": 6, "session": str(DAYS[4]), "revision": 2}
    assert first == last | {"recorded": True}
    assert again == last | {"recorded": False}


def test_a_retired_index_is_65_and_still_served(indexer):
    publish(indexer, *RANGE)
    assert indexer("retire", "trio", "--reason", "over", "--by", "Ada")[0] == 0
    again = indexer("retire", "trio", "--reason", "over", "--by", "Ada")[1]
    assert again.startswith("unchanged: trio is retired")

    assert publish(indexer, "--date", DAYS[5])[0] == 65
    assert "retired" in indexer("history", "trio")[1]


def test_the_next_rebalance_is_approved_by_name(indexer, tmp_path):
    basket(tmp_path, id="monthly", rebalance={"frequency": "monthly", "day": "last session"})
    given = ("monthly.yaml", "--market", "market", "--until", DAYS[10])
    code, out, _ = indexer("proforma", *given, "--json")
    assert (code, json.loads(out)["effective"]) == (0, "2026-03-31")

    code, _, err = indexer("approve", *given, "--by", "Ada")
    assert (code, "approved by Ada as entry 1, revision 1" in err) == (0, True)
    again = indexer("approve", *given, "--by", "Ada")[2]
    assert "unchanged: approved by Ada as entry 1, revision 1" in again
    assert indexer("approve", *given)[0] == 2


def test_who_the_next_rebalance_will_not_hold_is_told_why(indexer, tmp_path):
    held = [{"symbol": symbol} for symbol in (*SYMBOLS, "600999.SH")]
    basket(tmp_path, id="four", rebalance={"frequency": "monthly"}, constituents=held)
    code, out, err = indexer("proforma", "four.yaml", "--market", "market", "--until", DAYS[10])

    assert (code, out.splitlines()[0]) == (0, "four: rebalance after the close of 2026-03-31")
    assert "not held: 600999.SH: " in err


def test_who_interrupts_is_told_so(indexer, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.run.publish.read_market", interrupted)

    code, _, err = publish(indexer)
    line, *_, last = err.strip().splitlines()
    told = json.loads(line)
    assert (code, last) == (130, "interrupted")
    assert (told["exit"], told["error"]) == (130, "publish: interrupted: try again later")
    assert "indexer_run_exit_code 130\n" in Path("out/indexer.prom").read_text("utf-8")


def test_what_was_published_before_an_interruption_stands_in_the_figures(indexer, monkeypatch):
    """One of two is published, the other waited for."""
    monkeypatch.setattr("indexer.cli.attempts._POLL", 0.0)
    looks = iter([None, KeyboardInterrupt()])

    def once(*given, **how):
        if (stop := next(looks)) is not None:
            raise stop
        late = Outcome("late", "delayed", error=TryAgainError("late", "no data yet"))
        return [*publish_all(*given, **how), late]

    monkeypatch.setattr("indexer.run.publish.publish", once)
    code, _, _ = publish(indexer, "--date", DAY, "--wait-until", "00:00", "--deadline", "23:59")
    told = Path("out/indexer.prom").read_text("utf-8")
    assert code == 130
    assert 'indexer_last_session_timestamp_seconds{subject="trio"}' in told


def test_sessions_that_were_missed_are_noted(indexer):
    publish(indexer, "--date", DAYS[0])
    code, _, err = publish(indexer, "--date", DAYS[3])

    told = f"note: trio: 2 sessions before {DAYS[3]} not published: "
    assert (code, told + f"publish --from {DAYS[1]} --to {DAYS[2]}" in err) == (0, True)


def test_what_is_published_is_whatever_keeps_the_ledger_from_being_looked_at(indexer, monkeypatch):
    def busy(*_):
        raise TryAgainError("ledger", "busy")

    monkeypatch.setattr("indexer.run.due.gaps", busy)
    assert publish(indexer, "--date", DAY)[0] == 0


def test_a_request_to_end_is_an_interruption(indexer, tmp_path):
    """As systemd makes one, of a publisher that waits for data."""
    asked = ["publish", "trio.yaml", "--market", "market", "--date", "2026-12-30"]
    asked += [*MIDNIGHT, "--metrics", "figures.prom"]
    code = "from indexer.cli.app import main; main()"
    waiting = subprocess.Popen(
        [sys.executable, "-c", code, *asked], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    said = waiting.stderr.readline()
    waiting.terminate()
    _, rest = waiting.communicate(timeout=60)

    assert json.loads(said)["exit"] == 75
    assert (waiting.returncode, rest.splitlines()[-1]) == (130, "interrupted")
    assert "indexer_run_exit_code 130\n" in (tmp_path / "figures.prom").read_text("utf-8")


@pytest.fixture
def later(monkeypatch):
    """Set the doctor's clock: the calendars that are bundled now end one day."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 9, 1, tzinfo=tz)

    monkeypatch.setattr("indexer.cli.doctor.datetime", Clock)


@pytest.mark.usefixtures("later")
def test_the_doctor_says_what_is_late(indexer):
    publish(indexer, *RANGE)
    code, out, _ = indexer("doctor", "--market", "market", "--json")
    told = {check["about"]: check["state"] for check in json.loads(out)}

    assert (code, told["trio"], told["market"]) == (75, "late", "ok")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("bad.yaml",), 78),
        (("nowhere.yaml",), 66),
        (("--market", "bad"), 65),
        (("--ledger", "postgresql://u@127.0.0.1:1/x"), 75),
        (("bad.yaml", "--ledger", "postgresql://u@127.0.0.1:1/x"), 78),
        (("bad.yaml", "--ledger", "sqlite:///late.db"), 78),
        (("--ledger", "sqlite:///late.db"), 75),
    ],
)
@pytest.mark.usefixtures("later")
def test_the_doctor_leaves_with_the_code_of_the_gravest(indexer, tmp_path, given, expected):
    basket(tmp_path, id="bad", currency="Yuan")
    folder(tmp_path / "bad", [{"symbol": SYMBOLS[0], "date": DAY, "close": -1}])
    publish(indexer, "--date", DAY, "--ledger", "sqlite:///late.db", "--out", "late")

    assert indexer("doctor", *given)[0] == expected


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [((), None, 0), (("--ledger", "sqlite:///gone.db"), None, 66), ((), "sqlite:///gone.db", 66)],
)
def test_the_doctor_misses_a_ledger_that_somebody_named(
    indexer, monkeypatch, given, environment, expected
):
    if environment is not None:
        monkeypatch.setenv("INDEXER_LEDGER", environment)

    assert indexer("doctor", *given)[0] == expected


def test_the_doctor_misses_the_ledger_of_published_files(indexer):
    publish(indexer, "--date", DAY)
    Path("indexer.db").unlink()
    code, out, _ = indexer("doctor")

    assert code == 66
    assert "put its copy back" in out


def test_the_doctor_tells_each_problem_in_a_line_of_its_own(indexer, tmp_path):
    (tmp_path / "bad.yaml").write_text("id: bad\n", encoding="utf-8")
    told = [line for line in indexer("doctor", "bad.yaml")[1].splitlines() if "bad.yaml" in line]

    assert len(told) > 1
    assert all(line.startswith("wrong bad.yaml: bad.yaml:1:1: ") for line in told)


def test_the_doctor_looks_at_the_indices_of_a_study(indexer, tmp_path):
    basket(tmp_path, id="broken", weighting={"scheme": "none such"})
    pairs = "pairs: [{leader: trio, follower: broken}]"
    text = f"{{version: 1, id: two, name: {{en: Two}}, start: {DAYS[0]}, {pairs}}}"
    (tmp_path / "two.yaml").write_text(text, encoding="utf-8")
    code, out, _ = indexer("doctor", "two.yaml")

    assert code == 78
    assert "broken.yaml" in out


def test_the_doctor_says_that_a_definition_is_valid_and_that_a_market_is_empty(indexer, tmp_path):
    market = tmp_path / "empty"
    market.mkdir()
    (market / "prices.csv").write_text("symbol,date,close\n", encoding="utf-8")
    _, out, _ = indexer("doctor", "trio.yaml", "--market", "empty", "--json")
    told = {check["about"]: (check["state"], check["message"]) for check in json.loads(out)}

    assert told["trio.yaml"] == ("ok", "the definition is valid")
    assert told["empty"] == ("note", "holds no prices")


def test_the_environment_names_the_ledger(indexer, monkeypatch):
    monkeypatch.setenv("INDEXER_LEDGER", "sqlite:///other.db")
    publish(indexer, "--date", DAY)

    assert Path("other.db").is_file()
    assert not Path("indexer.db").exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://u:secret@h/x", 2),
        ("indexer.db", 2),
        ("postgresql://u:secret@h:port/x", 2),
        ("postgresql://u:secret@127.0.0.1:1/x", 75),
        ("sqlite:///market", 65),
        ("sqlite:///no/such/folder.db", 66),
        ("sqlite:///trio.yaml", 65),
    ],
)
def test_a_ledger_that_cannot_be_opened_has_its_exit_code(indexer, url, expected):
    code, out, err = publish(indexer, "--date", DAY, "--ledger", url)

    assert code == expected
    assert "secret" not in out + err
    assert "Traceback" not in err


SECRET = "kept-from-everybody"  # noqa: S105
WHERE = f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/x?sslpassword={SECRET}"
ASKED = [
    ("publish", "trio.yaml", "--market", "market", "--date", DAY),
    ("restate", "trio", "--market", "market", "--from", DAY, *WHY),
    ("history", "trio"),
    ("verify", "--market", "market", "--out", "out"),
    ("export", "--out", "out"),
    ("approve", "monthly.yaml", "--market", "market", "--by", "Ada"),
    ("retire", "trio", "--reason", "other", "--by", "Ada"),
    ("report", "trio"),
    ("doctor", "--market", "market"),
    ("serve", "--port", "0"),
]


@pytest.mark.attack("F7")
@pytest.mark.parametrize(
    "ledger", [WHERE, WHERE.replace(":1/x", ":port/x"), f"none://u:{SECRET}@h"]
)
def test_no_command_that_fails_tells_a_password_or_a_token(
    indexer, monkeypatch, caplog, tmp_path, ledger
):
    basket(tmp_path, id="monthly", rebalance={"frequency": "monthly"})
    for name in ("INDEXER_TOKEN", "PGPASSWORD"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("INDEXER_LEDGER", ledger)
    with caplog.at_level("DEBUG"):
        told = {words[0]: indexer(*words) for words in ASKED}

    assert {name: code for name, (code, *_) in told.items() if code not in (2, 75)} == {}
    assert SECRET not in str(told) + caplog.text
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()


def test_two_processes_publish_a_day_once(indexer, tmp_path):
    """Each says that it did, or that it was done."""
    given = ("publish", "trio.yaml", "--market", "market", "--date", DAY)
    command = [sys.executable, "-m", "indexer.cli.app", *given]
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    started = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         env=os.environ | {"PYTHONPATH": paths})
        for _ in range(2)
    ]  # fmt: skip
    told = sorted(process.communicate(timeout=120)[0].split()[1] for process in started)

    assert [process.returncode for process in started] == [0, 0]
    assert told == [b"published", b"unchanged"]
    assert json.loads(indexer("verify", "--out", "out", "--json")[1])["entries"] == 1
