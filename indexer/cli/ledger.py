"""Commands of the ledger: publish and restate, look back, verify."""

import dataclasses
import json
import sys
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from indexer.cli.attempts import attempts, instants_of
from indexer.cli.exits import INTERRUPTED, exit_code
from indexer.cli.options import BY, JSON, KNOWN_AT, LEDGER, NEEDED_MARKET, OUT, date_of, plain, said
from indexer.cli.screen import marks, print_outcomes, progress, shown
from indexer.errors import IndexerError, OutputError, TryAgainError, counted, explained

_clock_time = click.DateTime(["%H:%M"])


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="(BASKET|STUDY)...")
@NEEDED_MARKET
@LEDGER
@OUT
@click.option(
    "--date", "day", type=date_of, metavar="DATE", help="Session; default the last final."
)
@click.option("--from", "first", type=date_of, metavar="DATE", help="First session of a range.")
@click.option(
    "--to", "last", type=date_of, metavar="DATE", help="Last session of a range, or alone."
)
@click.option("--dry-run", is_flag=True, help="Say what would be published, and write nothing.")
@click.option("--wait-until", type=_clock_time, metavar="HH:MM", help="Do not begin before.")
@click.option("--deadline", type=_clock_time, metavar="HH:MM", help="Try again until then.")
@click.option(
    "--allow-estimated-calendar", "estimated", is_flag=True, help="Publish estimated sessions too."
)
@click.option(
    "--override",
    multiple=True,
    type=click.Choice(["R14", "R15", "R16", "R17", "R18", "R19", "R22"]),
    help="Record the refusals of a rule, do not obey them; needs --by and --note.",
)
@click.option("--correct", is_flag=True, help="Correct what would differ by the written policy.")
@click.option(
    "--by",
    default="",
    callback=plain,
    metavar="NAME",
    help="Who overrides, or approves corrections.",
)
@click.option("--note", default="", callback=plain, metavar="TEXT", help="Why.")
@click.option("--metrics", type=click.Path(path_type=Path), help="Prometheus file to write.")
@JSON
def publish(names: tuple[str, ...], market: Path, ledger: str, out: Path, **given: Any) -> None:
    """Publish one session, or a range, of each BASKET and STUDY.

    The session is written to the ledger whole, once, and only if no gate is shut. The same again
    changes nothing. Inputs that would change what is published already are refused until they are
    restated. Times are today's in the zone of the first calendar; a deadline that is not after
    --wait-until is tomorrow's.
    """
    from indexer.run.attempt import BUGS, Attempt
    from indexer.run.desk import Terms, desk_at
    from indexer.run.publish import publish as publish_all

    if given["override"] and not (given["by"] and given["note"]):
        raise click.UsageError("--override needs --by and --note: who overrides it, and why")
    keys = ("override", "by", "note", "estimated", "correct", "dry_run")
    terms = Terms(**{key: given[key] for key in keys})
    period = _period(given["day"], given["first"], given["last"])

    def once() -> Attempt:
        began, run = _now(), None
        try:
            desk = desk_at(ledger, out, _now, names, terms)
            began, run = desk.instant, desk.run
            with progress() as tell:
                found = publish_all(names, market, desk, period, progress=tell)
        except OSError:  # of the screen: what is read and written has errors of its own
            raise
        except BUGS as error:  # of which the log and the figures tell too
            return Attempt(began, run, error=explained("publish", error))
        return Attempt(began, run, found)

    figures = None if terms.dry_run else given["metrics"] or out / "indexer.prom"
    outcomes: list[Any] = []
    between = instants_of(names, given["wait_until"], given["deadline"], _now())
    try:
        last = attempts(once, between, _log, outcomes)
    except KeyboardInterrupt:  # nobody waits for what it would have come to
        stopped = Attempt(_now(), None, error=TryAgainError("publish", "interrupted"))
        _leave(figures, stopped, outcomes, INTERRUPTED)
        raise
    try:
        if outcomes:
            print_outcomes(last.run, outcomes, given["as_json"])
            _print_sessions(names, period, ledger, outcomes)
    finally:  # whether or not somebody reads it: the log and the figures are a scheduler's
        _leave(figures, last, outcomes, exit_code(last.errors))
    if last.error is not None:
        raise last.error
    sys.exit(exit_code(last.errors))


def _log(attempt: Any, code: int | None = None) -> None:
    """Print what an attempt to publish came to as a line of JSON."""
    from indexer.run.attempt import log_line

    told = exit_code(attempt.errors) if code is None else code
    click.echo(log_line("publish", attempt, told), err=True)


def _leave(path: Path | None, last: Any, outcomes: list[Any], code: int) -> None:
    """Log a run's last attempt and write its figures; its own error goes before one of writing."""
    from indexer.run.attempt import write_metrics

    _log(last, code)
    try:
        if path is not None:
            write_metrics(path, last.instant, outcomes, code)
    except OutputError as error:
        if last.error is None:
            raise
        click.echo(f"warning: {shown(str(error))}", err=True)


def _print_sessions(names: tuple[str, ...], period: Any, ledger: str, outcomes: list[Any]) -> None:
    """Say which sessions there are none of, and which were missed before."""
    from indexer.run.due import gaps
    from indexer.run.sessions import closures

    idle = {one.subject for one in outcomes if one.state == "no session"}
    lines = list(closures(names, idle, period))
    with suppress(IndexerError):  # what is published is, whoever keeps the ledger now
        lines += gaps(ledger, outcomes)
    for line in lines:
        click.echo(f"note: {line}", err=True)


@click.command()
@click.argument("index")
@NEEDED_MARKET
@LEDGER
@OUT
@click.option("--from", "first", type=date_of, required=True, metavar="DATE", help="First session.")
@click.option(
    "--to", "last", type=date_of, metavar="DATE", help="Last one; default the last there is."
)
@click.option(
    "--reason",
    required=True,
    type=click.Choice(["bad-price", "late-action", "methodology", "vendor-revision", "software"]),
    help="Why, as a code.",
)
@click.option("--note", required=True, callback=said, metavar="TEXT", help="Why, in words.")
@BY
@click.option("--basket", metavar="FILE", help="New definition; default the one last published.")
@JSON
def restate(
    index: str,
    market: Path,
    ledger: str,
    out: Path,
    first: date,
    last: date | None,
    reason: str,
    note: str,
    by: str,
    basket: str | None,
    as_json: bool,
) -> None:
    """Correct published sessions of INDEX by new revisions; nothing is overwritten."""
    from indexer.run.attempt import BUGS, Attempt, log_line
    from indexer.run.desk import Terms, desk_at
    from indexer.run.restate import Ground
    from indexer.run.restate import restate as restate_index

    period = _period(None, first, last)
    desk = desk_at(ledger, out, _now, [index], Terms(by=by, note=note), create=False)
    ground = Ground(reason, note, by, basket)
    try:
        with progress() as tell:
            done = restate_index(index, market, desk, period, ground, progress=tell)
    except BUGS as error:
        failed = Attempt(desk.instant, desk.run, error=explained(index, error))
        click.echo(log_line("restate", failed, exit_code(failed.errors)), err=True)
        raise
    try:
        _print_restatement(desk.run, done, as_json)
    finally:
        made = Attempt(desk.instant, desk.run, [done.outcome])
        click.echo(log_line("restate", made, 0), err=True)


def _print_restatement(run: str, done: Any, as_json: bool) -> None:
    """Print what a restatement did, and what it left."""
    print_outcomes(run, [done.outcome], as_json)
    for one in done.corrected:
        click.echo(f"corrected: {one.head.session}: {one.text}", err=True)
    if done.left:
        click.echo(
            f"warning: {counted(len(done.left), 'published session')} outside the range would "
            f"differ too, from {done.left[0]} to {done.left[-1]}: publishing is refused until "
            "they are restated",
            err=True,
        )
    if done.unseen:
        click.echo(
            f"warning: the market ends before {counted(len(done.unseen), 'published session')}, "
            f"from {done.unseen[0]} to {done.unseen[-1]}: they could not be compared",
            err=True,
        )
    for study in done.studies:
        click.echo(
            f"warning: {study} is made of it: publish it with --correct, or restate it, until when "
            f"its signals are those of the levels before",
            err=True,
        )


@click.command()
@click.argument("index")
@LEDGER
@click.option("--variant", type=click.Choice(["price", "gross", "net"]), help="One variant only.")
@KNOWN_AT
@click.option(
    "--format", "format_", type=click.Choice(["csv", "json"]), default="csv", show_default=True
)
def history(
    index: str, ledger: str, variant: str | None, as_known_at: datetime | None, format_: str
) -> None:
    """Print what is published of INDEX: the revision in force now, or at an instant."""
    from indexer.run.records import history_text, published_history

    found = published_history(ledger, index, variant, as_known_at)
    tested = found.backtested and f"up to {found.backtested}"
    # The rows have the columns of what was published, and none for these.
    if mark := marks(synthetic=found.synthetic, backtested=tested):
        click.echo(f"note: {index}: {mark.strip()}", err=True)
    if not found.rows:
        click.echo(f"note: {index}: nothing of it was published by then", err=True)
    if format_ == "json":
        objects = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        click.echo(json.dumps(objects, ensure_ascii=False, allow_nan=False))
        return
    click.echo(history_text(found.columns, found.rows), nl=False)


@click.command()
@LEDGER
@click.option("--market", type=click.Path(path_type=Path), help="Build the levels in force again.")
@click.option("--out", type=click.Path(path_type=Path), help="Compare published files.")
@click.option(
    "--inputs", is_flag=True, help="Build every level again from the rows the ledger has kept."
)
@JSON
def verify(ledger: str, market: Path | None, out: Path | None, inputs: bool, as_json: bool) -> None:
    """Check that the ledger is what was written to it."""
    from indexer.run.records import verified

    with progress() as tell:
        found = verified(ledger, market=market, out=out, inputs=inputs, progress=tell)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found)))
        return
    whole = "1 entry stands" if found.entries == 1 else f"{found.entries} entries follow each other"
    click.echo(f"{whole}, the last is {found.head}")
    if found.files:
        click.echo(f"published files below {out} are those of the ledger")
    if market is not None or inputs:
        what = "entries made again,"
        if market and inputs:
            what = "times an entry was made again, from the market or from what was kept,"
        click.echo(f"{found.built} {what} each the same to the last bit")
    if found.others:
        count = "1 entry" if found.others == 1 else f"{found.others} entries"
        click.echo(f"no longer in force and made otherwise by another version: {count}")
    if found.replies:
        click.echo(f"replies of sources as they came: {found.replies:,}")


@click.command()
@LEDGER
@OUT
@JSON
def export(ledger: str, out: Path, as_json: bool) -> None:
    """Write every published file anew from the ledger, byte for byte."""
    from indexer.run.records import exported

    written = exported(ledger, out)
    if as_json:
        click.echo(json.dumps({"files": [str(path) for path in written]}))
        return
    click.echo(f"{counted(len(written), 'file')} written below {out}", err=True)


def _now() -> datetime:
    return datetime.now(UTC)


def _period(day: date | None, first: date | None, last: date | None) -> Any:
    from indexer.run.sessions import Period

    if day and (first or last):
        raise click.UsageError("--date is one session, --from and --to are a range: give one")
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is later than --to {last}")
    return Period(day or first, day or last)
