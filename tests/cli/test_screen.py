"""What a person sees is what was said: no text from outside moves the cursor or makes up a line."""

import json
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from indexer.cli import app, fetch, screen
from indexer.errors import IndexerError, SourceError
from indexer.run.desk import Outcome
from tests.ledger.chain import entry

HOSTILE = "x\x1b[2J\r\nerror: all is lost\x9b1m \u202egnp"
PARTS = (r"x\x1b[2J", r"all is lost\x9b1m \u202egnp")  # a refusal is told line by line


def raised(error: IndexerError):
    def command(**_):
        raise error

    return command


def explained(*carried, as_json=False, **more):
    part = {"symbol": "000001.SZ", "name": HOSTILE, "contribution": 0.1}
    told = {key: {} for key in ("levels",)} | {
        key: [] for key in ("actions", "transfers", "changes")
    }
    told["carried"] = list(carried)
    told |= {
        "id": "a",
        "date": "2026-03-02",
        "session": True,
        "synthetic": False,
        "backtested": False,
    }
    divisor = {"before": 1.0, "after": 1.0}
    screen.print_explanation(
        told | {"contributions": [part], "dividend_points": 0.0, "divisor": divisor} | more,
        as_json,
    )


def fetched():
    need = {"subject": "a", "table": "prices", "outcome": "none", "sources": [], "single": False}
    need |= {"rows": {}, "refused": 0, "failures": {"sina": HOSTILE}, "reason": HOSTILE}
    fetch._print({"needs": [need], "disregarded": [HOSTILE]})


def logged():
    with screen.progress():
        logging.getLogger("indexer.market").info("%s", HOSTILE)


def published():
    error = SourceError("sina", "prices", HOSTILE)
    screen.print_outcomes("run", [Outcome("a", "refused", error=error)], as_json=False)


WAYS = {
    "an explanation": explained,
    "what a source said": fetched,
    "the log": logged,
    "a refusal": published,
    "warnings": lambda: screen.print_notes({}, "out", [HOSTILE]),
    "of an index": lambda: screen.print_notes(
        {"a": {"warnings": [HOSTILE], "carried_last": 0}}, ""
    ),
}


@pytest.mark.attack("C4")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_text_from_outside_stays_on_its_line_and_is_no_command_of_the_terminal(way, capfd):
    way()
    said = "".join(capfd.readouterr())

    assert all(part in said for part in PARTS)
    assert not [line for line in said.splitlines() if line.startswith("error: all is lost")]


@pytest.mark.parametrize(
    ("told", "mark"),
    [
        ({"synthetic": False}, ""),
        ({"synthetic": True}, "  SYNTHETIC DATA"),
        ({"synthetic": False, "backtested": ""}, "  back-tested"),
        ({"synthetic": True, "backtested": "up to x"}, "  SYNTHETIC DATA  back-tested up to x"),
    ],
)
def test_a_line_with_figures_says_what_they_rest_on(told, mark):
    assert screen.marks(**told) == mark


@pytest.mark.parametrize(
    ("tested", "mark"),
    [((), ""), ((2, 3), "  back-tested"), ((2,), "  back-tested up to 2026-03-02")],
)
def test_what_is_published_of_a_back_tested_session_says_so(tested, mark, capfd):
    entries = tuple(entry(f"2026-03-0{n}", backtested=n in tested) for n in (2, 3))
    screen.print_outcomes("run", [Outcome("a", "published", entries=entries)], as_json=False)

    assert capfd.readouterr().out.splitlines()[0] == f"a: published{mark}"


@pytest.mark.attack("C4")
def test_a_cell_of_a_table_is_no_markup(capfd):
    screen.print_table(("a",), [("[link=file:///]here[/link] [/b] :bomb:",)])

    assert "[link=file:///]here[/link] [/b] :bomb:" in capfd.readouterr().out


@pytest.mark.attack("C4")
def test_an_error_that_quotes_what_came_is_told_line_by_line(monkeypatch, capfd):
    monkeypatch.setattr("sys.argv", ["indexer"])
    monkeypatch.setattr(app, "app", raised(SourceError("sina", "prices", "a\nb\x1b[2J")))
    with pytest.raises(SystemExit):
        app.main()

    assert capfd.readouterr().err == "error: sina: prices: a\nerror: b\\x1b[2J\n"


@pytest.mark.parametrize("move", [708.0, 1400.0])
def test_a_move_whose_percentage_is_beyond_all_numbers_is_left_out(move):
    assert screen._percent(move) == ""


def test_what_never_traded_is_said_to_be_that(capsys):
    explained(
        {"symbol": "B.US", "close_of": None, "sessions": None},
        {"symbol": "A.US", "close_of": "2026-02-27", "sessions": 1},
    )

    assert "carried 2 of 1: A.US since 2026-02-27, B.US never traded" in capsys.readouterr().out


def test_what_moved_an_index_reads_back_as_json(capsys):
    explained(as_json=True)
    told = json.loads(capsys.readouterr().out)

    assert (told["id"], told["date"], told["divisor"]["after"]) == ("a", "2026-03-02", 1.0)


@pytest.mark.parametrize(("changes", "said"), [(["rebalance"], True), ([], False)])
def test_a_rebalance_is_told_with_what_moved_the_index(capsys, changes, said):
    explained(changes=changes)

    assert ("\n  rebalanced after the close\n" in capsys.readouterr().out) is said


@pytest.mark.parametrize(("count", "last"), [(4, "D.US since 2026-02-24"), (5, "1 more")])
def test_of_many_carried_constituents_the_oldest_are_named(capsys, count, last):
    ages = dict(zip("ABCDE", range(9, 4, -1), strict=True))
    carried = [
        {"symbol": f"{name}.US", "close_of": f"2026-02-2{n}", "sessions": age}
        for n, (name, age) in enumerate(list(ages.items())[:count], start=1)
    ]
    explained(*reversed(carried))

    [line] = [one for one in capsys.readouterr().out.splitlines() if "carried" in one]
    assert line.startswith(
        f"  carried {count} of 1: A.US since 2026-02-21, B.US since 2026-02-22, "
    )
    assert line.endswith(f", {last}")


def test_carried_prices_of_the_last_session_are_noted_where_there_are_any(capsys):
    counts = {"a": 2, "b": 0}
    indices = {
        id: {"warnings": [], "carried_last": carried, "constituents": 5}
        for id, carried in counts.items()
    }
    screen.print_notes(indices, Path("there"))

    told = "note: a: 2 of 5 constituents at a carried price\n\nwritten to there\n"
    assert capsys.readouterr().err == told


def test_the_correlation_shown_is_that_of_the_headline_window():
    told = dict.fromkeys(
        ("leader", "follower", "state", "since", "kind", "peak_on", "last_row"), ""
    )
    told |= dict.fromkeys(("move_leader", "move_follower", "zscore"), 0.0)
    told["correlation"] = {20: 0.02, 40: 0.04, 120: 0.12}
    summary = {"headline_window": 40, "last_session": "2026-03-02"}

    cells = screen._pair_cells(told | {"last_row": "2026-03-01"}, summary)
    assert cells[-1] == "0.04 (40)"
    assert cells[0] == "\n/  (until 2026-03-01)"


@pytest.mark.parametrize("columns", ["40", "500"])
def test_no_cell_of_a_table_is_cut_short(monkeypatch, capsys, columns):
    """However wide the terminal is, and the table."""
    monkeypatch.setenv("COLUMNS", columns)
    screen.print_table(("leader", "value"), [("a" * 150, "1.25")])

    assert "a" * 150 + "   1.25" in capsys.readouterr().out


def test_a_reader_that_leaves_before_a_table_is_told_like_any_other(monkeypatch):
    """Not by a code of the library that draws tables."""
    read, write = os.pipe()
    os.close(read)
    with suppress(BrokenPipeError), os.fdopen(write, "w") as gone:  # closing writes what is left
        monkeypatch.setattr("sys.stdout", gone)
        with pytest.raises(BrokenPipeError):
            screen.print_table(("a",), [("1",)])


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("--version",), ("calendar",)])
def test_a_reader_that_has_left_is_a_screen_that_cannot_be_written(words):
    """Of a process of its own: Python itself writes what is left when it ends."""
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-c", "from indexer.cli.app import main; main()", *words]
    with os.fdopen(write, "wb") as gone:
        ended = subprocess.run(program, stdout=gone, stderr=subprocess.PIPE, check=False)

    assert (ended.returncode, ended.stderr) == (73, b"")
