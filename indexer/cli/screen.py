"""What a person sees: tables of results, the data's caveats, and progress on a terminal."""

import json
import logging
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from indexer.errors import counted


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give a way to say what is being done, on one line of a terminal that ends up empty.

    What the package logs meanwhile, such as that kernels are being compiled, stays on stderr.
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    log, lines = logging.getLogger("indexer"), _Lines(start="\r\x1b[2K" if terminal else "")
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    try:
        if terminal:
            yield lambda text: click.echo(f"\r\x1b[2K{text} …", err=True, nl=False)
        else:
            yield lambda _: None
    finally:
        log.removeHandler(lines)
        if terminal:
            click.echo("\r\x1b[2K", err=True, nl=False)


def shown(text: str) -> str:
    r"""Return text of whatever origin as one line: what a terminal would obey or hide is escaped.

    Examples
    --------
    >>> print(shown("中际　旭创\x1b[2J\nerror: none"))
    中际　旭创\x1b[2J\nerror: none
    """
    return "".join(c if c.isprintable() or c in "\xa0\u3000" else repr(c)[1:-1] for c in text)


class _Lines(logging.Handler):
    """Log records as lines on stderr, in place of the line of progress where there is one."""

    def __init__(self, start: str) -> None:
        super().__init__()
        self._start = start

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):  # a closed stderr does not stop the work
            click.echo(self._start + shown(record.getMessage()), err=True)


def print_study(summary: dict[str, Any], out: Path, as_json: bool) -> None:
    """Print what a strategist asks first."""
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False, allow_nan=False))
        return
    title = shown(f"{summary['name']['en']} · {summary['last_session']}")
    click.echo(title + marks(synthetic=summary["synthetic"]))
    for day, ids in summary["backtested_before"].items():
        click.echo(f"back-tested before {day}: {', '.join(ids)}")
    print_table(
        ("leader\n/ follower", "state", "since", "kind", "peak", "leader", "follower", "z", "corr"),
        [_pair_cells(pair, summary) for pair in summary["pairs"]],
    )
    for lines in summary["ratio_lines"]:
        click.echo(
            f"\nratio lines {lines['leader']} / {lines['follower']} and / {lines['other']}"
            f"{_until(lines, summary)}\n"
            "they share a leg, so part of their correlation is arithmetic: read it beside its null"
        )
        before = ("ratio_correlation", "ratio_null", "ratio_excess", "partial_correlation")
        given = "partial_correlation_benchmark"
        print_table(
            (
                *("window", "correlation", "null", "excess", "partial", "adjusted p"),
                *("given market", "of levels", "their null"),
            ),
            [
                (
                    str(w),
                    *(_number(lines[name][w], 2) for name in before),
                    _number(lines["p_value_adjusted"][w], 3),
                    *(_number(lines[name][w], 2) for name in (given, "level_correlation")),
                    _number(lines["level_null"][w]["median"], 2),
                )
                for w in lines["ratio_correlation"]
            ],
        )
    print_notes(summary["indices"], out, summary["warnings"])


def marks(*, synthetic: bool, backtested: str | None = None) -> str:
    """Return what no line with figures goes without: that prices are invented, or known before.

    Parameters
    ----------
    backtested : which of the figures are back-tested; empty for all of them, None for none
    """
    told = ["SYNTHETIC DATA"] if synthetic else []
    if backtested is not None:
        told.append(f"back-tested {backtested}".rstrip())
    return "".join(f"  {mark}" for mark in told)


def _until(told: dict[str, Any], summary: dict[str, Any]) -> str:
    """Return the last row of a pair or of ratio lines, where the study has more."""
    last = told["last_row"]
    return "" if last == summary["last_session"] else f" (until {last})"


def _pair_cells(pair: dict[str, Any], summary: dict[str, Any]) -> tuple[str, ...]:
    window = summary["headline_window"]
    return (
        f"{pair['leader']}\n/ {pair['follower']}{_until(pair, summary)}",
        pair["state"],
        pair["since"],
        "" if pair["state"] == "stretched" else pair["kind"] or "",  # nothing closes yet
        pair["peak_on"] or "",
        _percent(pair["move_leader"]),
        _percent(pair["move_follower"]),
        _number(pair["zscore"], 1),
        f"{_number(pair['correlation'][window], 2) or '–'} ({window})",
    )


def print_explanation(told: dict[str, Any], as_json: bool) -> None:
    """Print what moved an index on one session, in about ten lines."""
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, allow_nan=False))
        return
    if not told["session"]:
        click.echo(f"{told['id']}: {told['date']} is no session, nothing to explain")
        return
    mark = marks(synthetic=told["synthetic"], backtested="" if told["backtested"] else None)
    click.echo(f"{told['id']} on {told['date']}{mark}")
    for name, level in told["levels"].items():
        change = level["after"] / level["before"] - 1
        click.echo(f"  {name:<8}{level['before']:>12.4f} → {level['after']:>12.4f}  {change:+.2%}")
    parts = told["contributions"]
    ups = [p for p in parts if p["contribution"] > 0]
    downs = [p for p in parts if p["contribution"] < 0]
    for title, few in (("up", ups), ("down", downs)):
        first = [f"{_called(p)} {p['contribution'] * 1e4:+.1f} bp" for p in few[:4]]
        first += [f"{len(few) - 4} more"] if len(few) > 4 else []
        total = sum(p["contribution"] for p in few) * 1e4
        named = ", ".join(first) or "none"
        click.echo(f"  {title:<8}{len(few):>3} of {len(parts)} {total:+.1f} bp: {named}")
    actions = [f"{a['symbol']} {a['kind']} (ex {a['ex_date']})" for a in told["actions"]]
    actions += [f"{t['symbol']} {t['kind']}" for t in told["transfers"]]
    click.echo(f"  actions {', '.join(actions) or 'none'}")
    click.echo(f"  dividends {told['dividend_points']:.4f} points, paid into gross and net")
    divisor = told["divisor"]
    moved = "unchanged" if divisor["before"] == divisor["after"] else f"→ {divisor['after']:.10g}"
    click.echo(f"  divisor {divisor['before']:.10g} {moved}")
    if "rebalance" in told["changes"]:
        click.echo("  rebalanced after the close")
    carried = sorted(told["carried"], key=lambda c: -(c["sessions"] or 0))
    old = [
        f"{c['symbol']} " + (f"since {c['close_of']}" if c["close_of"] else "never traded")
        for c in carried[:_NAMED]
    ]
    old += [f"{len(carried) - _NAMED} more"] if len(carried) > _NAMED else []
    click.echo(f"  carried {len(carried)} of {len(parts)}: {', '.join(old) or 'none'}")


def _called(part: dict[str, Any]) -> str:
    return shown(f"{part['symbol']} {part['name']}" if part["name"] else str(part["symbol"]))


def print_index(summary: dict[str, Any]) -> None:
    """Print the first and the last level of an index on one line."""
    first, last = summary["first"], summary["last"]
    before = summary["backtested_before"] and f"before {summary['backtested_before']}"
    mark = marks(synthetic=summary["synthetic"], backtested=before)
    click.echo(
        f"{summary['id']} {summary['variant']}: {first['date']} {first['level']:.4f} → "
        f"{last['date']} {last['level']:.4f}  ({summary['return']:+.1%}){mark}"
    )


def print_notes(
    indices: dict[str, dict[str, Any]], out: Path, warnings: Sequence[str] = ()
) -> None:
    """Print the data's own caveats to stderr, and where the results are."""
    for warning in warnings:
        click.echo(f"warning: {shown(warning)}", err=True)
    for id, index in indices.items():
        for warning in index["warnings"]:
            click.echo(f"warning: {id}: {shown(warning)}", err=True)
        if index["carried_last"]:
            count = f"{index['carried_last']} of {index['constituents']}"
            click.echo(f"note: {id}: {count} constituents at a carried price", err=True)
    click.echo(f"\nwritten to {out}", err=True)


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table as wide as its cells."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for n, title in enumerate(header):
        numeric = n > 0 and all(cells[n][:1] in "+-0123456789" for cells in rows)
        table.add_column(title, justify="right" if numeric else "left", no_wrap=True)
    for cells in rows:
        table.add_row(*cells)
    # A narrow terminal wraps lines by itself: better than cells cut short.
    console = Console(width=_WIDEST, highlight=False, markup=False, emoji=False)
    console.width = console.measure(table).maximum
    with console.capture() as made:  # printed by itself, it would leave with 1 where nobody reads
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in made.get().rstrip("\n").split("\n")))


_NAMED = 4  # carried constituents; the rest are counted
_WIDEST = 10_000  # columns: more than any table has


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _percent(log_move: float | None) -> str:
    if log_move is None or log_move > math.log(sys.float_info.max / 100):
        return ""  # a percentage too large to be a number
    return f"{math.expm1(log_move):+.1%}"


def print_outcomes(run: str | None, outcomes: Sequence[Any], as_json: bool) -> None:
    """Print what became of each index of a run, errors to stderr."""
    told = [_outcome(outcome) for outcome in outcomes]
    if as_json:
        text = json.dumps({"run": run, "outcomes": told}, ensure_ascii=False, allow_nan=False)
        click.echo(text)
        return
    for outcome, one in zip(outcomes, told, strict=True):
        when = " – ".join(dict.fromkeys(one["sessions"]))
        mark = marks(synthetic=one["synthetic"], backtested=_tested(outcome.published))
        click.echo(f"{one['subject']}: {one['state']} {when}".rstrip() + mark)
        for level in one["levels"]:
            other = "" if level["session"] in one["sessions"] else f" of {level['session']}"
            what = f"{level['variant']:<6} {level['level']}"
            click.echo(f"  {what}  revision {level['revision']}{other}")
        for entry in outcome.published:
            if entry.status == "corrected" and outcome.state != "restated":  # which tells its own
                click.echo(f"corrected: {entry.session}: {shown(entry.note)}", err=True)
        if beside := len(outcome.entries) - len(outcome.published):
            click.echo(f"  {counted(beside, 'session')} recorded as known and immaterial")
        for line in one["notes"]:
            click.echo(f"note: {one['subject']}: {shown(line)}", err=True)
        for line in str(outcome.error or "").splitlines():
            click.echo(f"error: {shown(line)}", err=True)


def _noted(entries: Sequence[Any]) -> Iterator[str]:
    """Yield what gates noted on publications, of each rule that of the last session, and how many.

    The row of a finding is its rule, its evidence, and who has overridden it.
    """
    told: dict[tuple[str, str], dict[str, list[str]]] = {}
    for entry in entries:
        for rule, message, by, _ in entry.rows.get("findings", ()):
            when = "" if entry.session in message else f"{entry.session}: "
            found = told.setdefault((rule, by), {})
            found.setdefault(entry.session, []).append(when + message)
    for (rule, by), found in told.items():
        more = f" (and on {counted(len(found) - 1, 'session')} before)" if len(found) > 1 else ""
        for line in found[max(found)]:
            yield f"{rule}{f', overridden by {by}' if by else ''}: {line}{more}"
            more = ""


def _tested(entries: Sequence[Any]) -> str | None:
    """Return which of some publications are back-tested: empty for all of them, None for none."""
    days = [entry.session for entry in entries if entry.backtested]
    if not days:
        return None
    return "" if len(days) == len(entries) else f"up to {max(days)}"


def _outcome(outcome: Any) -> dict[str, Any]:
    """Return what became of an index in JSON types; levels are of the latest session published."""
    last = sorted(outcome.published, key=lambda entry: entry.session)[-1:]
    return {
        "subject": outcome.subject,
        "state": outcome.state,
        "sessions": [day.isoformat() for day in outcome.sessions[:1] + outcome.sessions[-1:]],
        "entries": len(outcome.entries),
        "synthetic": outcome.synthetic,
        "notes": list(_noted(outcome.published)),
        "levels": [
            {
                "session": entry.session,
                "variant": row[0],
                "level": row[1],
                "revision": entry.revision,
            }
            for entry in last
            for row in entry.rows.get("levels", ())
        ],
        "error": None if outcome.error is None else str(outcome.error),
    }


def print_proforma(found: Any, as_json: bool) -> None:
    """Print the next rebalance of a basket."""
    if as_json:
        click.echo(json.dumps(found.summary, ensure_ascii=False, allow_nan=False))
        return
    mark = marks(synthetic=found.synthetic)
    click.echo(f"{found.basket.id}: rebalance after the close of {found.effective}{mark}")
    certain = "indicative, as of" if found.indicative else "from the closes of"
    click.echo(f"weights {certain} {found.weighed_on}; turnover {found.turnover:.2%}")
    rows: list[tuple[str, ...]] = [
        (str(symbol), str(change), f"{current:.4%}", f"{target:.4%}", f"{shares:.10g}")
        for symbol, change, current, target, shares in found.members.select(
            "symbol", "change", "current_weight", "target_weight", "shares"
        ).iter_rows()
    ]
    print_table(("symbol", "change", "now", "then", "shares"), rows)
    for symbol, reason in found.excluded:
        click.echo(f"not held: {symbol}: {shown(reason)}", err=True)
