"""Commands and exit codes.

Use cases are imported inside the commands: with numba and polars behind them they cost half a
second, which ``--help`` and a mistyped option should not pay.
"""

import dataclasses
import errno
import json
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Literal

import click

from indexer.cli.begin import init
from indexer.cli.calendars import calendar, constituents
from indexer.cli.decisions import approve, proforma, retire
from indexer.cli.doctor import doctor
from indexer.cli.exits import EXIT_CODES, INTERRUPTED, exit_code
from indexer.cli.fetch import fetch
from indexer.cli.ledger import export, history, publish, restate, verify
from indexer.cli.options import FORMAT, JSON, MARKET, NEEDED_MARKET, OUT, UNTIL, date_of
from indexer.cli.process import flush_output, prepare
from indexer.cli.report import report
from indexer.cli.screen import (
    print_explanation,
    print_index,
    print_notes,
    print_study,
    progress,
    shown,
)
from indexer.cli.serve import serve
from indexer.cli.sweep import sweep
from indexer.errors import BugError, DefinitionError, IndexerError, OutputError, Problem

# What writing to an open file may say: of a reader that left, a disk or a quota that is full.
_SCREEN = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
_strict = click.option(
    "--strict",
    is_flag=True,
    help="Refuse constituents without any close instead of leaving them out.",
)


class _Commands(click.Group):
    """Commands whose reader may leave, as ``head`` does: they end with the code of a full disk."""

    def make_context(self, *given: Any, **more: Any) -> click.Context:
        """Read what is asked for, which prints the help, as `invoke` runs it."""
        with _read_or_left():
            return super().make_context(*given, **more)

    def invoke(self, context: click.Context) -> Any:
        """Run a command; of a reader that left, which it did on purpose, nothing is said."""
        with _read_or_left():
            return super().invoke(context)


@contextmanager
def _read_or_left() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        if error.filename is not None or error.filename2 is not None:
            raise
        sys.exit(EXIT_CODES[OutputError])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="indexer", prog_name="indexer")
def app() -> None:
    """Calculate custom thematic indices, their relative strength and catch-up signals.

    Exit codes: 0 done, 2 usage, 65 market data are wrong or a publication is refused, 66 an input
    is missing, 69 a source cannot be reached, 70 a bug, 73 results cannot be written, 75 try again
    later, 78 a definition is wrong, 130 interrupted.
    """


@app.command()
@click.argument("study", default="compute-diffusion")
@MARKET
@OUT
@UNTIL
@FORMAT
@JSON
def run(
    study: str,
    market: Path | None,
    out: Path,
    until: date | None,
    format_: Literal["csv", "parquet"],
    as_json: bool,
) -> None:
    """Build and study the indices of STUDY.

    Writes the tables of every index, signals, states and one self-contained page.

    STUDY is a definition file, or the id of one in ./baskets or of a bundled one. Without
    arguments the bundled study runs on the bundled sample market, which is synthetic.
    """
    from indexer.run import results
    from indexer.run.find import BUNDLED_MARKET

    with progress() as tell:
        found = results.run(
            study,
            market or BUNDLED_MARKET,
            results.Output(out, format_),
            until=until,
            progress=tell,
        )
    print_study(found.summary, out, as_json)


@app.command()
@click.argument("study")
@NEEDED_MARKET
@OUT
@UNTIL
@FORMAT
@JSON
def study(
    study: str,
    market: Path,
    out: Path,
    until: date | None,
    format_: Literal["csv", "parquet"],
    as_json: bool,
) -> None:
    """Write signals, states and page of STUDY."""
    from indexer.run import results

    with progress() as tell:
        found = results.run(
            study,
            market,
            results.Output(out, format_),
            until=until,
            indices=False,
            progress=tell,
        )
    print_study(found.summary, out, as_json)


@app.command()
@click.argument("baskets", nargs=-1, required=True, metavar="BASKET...")
@NEEDED_MARKET
@OUT
@UNTIL
@_strict
@FORMAT
@JSON
def build(
    baskets: tuple[str, ...],
    market: Path,
    out: Path,
    until: date | None,
    strict: bool,
    format_: Literal["csv", "parquet"],
    as_json: bool,
) -> None:
    """Build the levels of each BASKET.

    Writes levels, weights, changes of shares and divisor, contributions and who was left out.
    """
    from indexer.run import results

    with progress() as tell:
        histories = results.build_indices(
            baskets,
            market,
            results.Output(out, format_),
            until=until,
            strict=strict,
            progress=tell,
        )
    summaries = [history.summary for history in histories]
    if as_json:
        click.echo(json.dumps({"indices": summaries}, ensure_ascii=False, allow_nan=False))
        return
    for summary in summaries:
        print_index(summary)
    print_notes({s["id"]: s for s in summaries}, out)


@app.command()
@click.argument("basket")
@click.argument("day", type=date_of, metavar="DATE")
@NEEDED_MARKET
@JSON
def explain(basket: str, day: date, market: Path, as_json: bool) -> None:
    """Say what moved BASKET on DATE.

    Contributions to the price return, actions that took effect, carried prices.
    """
    from indexer.run import results

    with progress() as tell:
        told = results.explain_session(basket, market, day, progress=tell)
    print_explanation(told, as_json)


@app.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@JSON
def validate(files: tuple[str, ...], as_json: bool) -> None:
    """Check definitions, all problems at once.

    Prints each as file:line:column: path: message. FILE is a definition file, or the id of one in
    ./baskets or of a bundled one.
    """
    from indexer.run.find import validate as problems_in

    def of_sweep(sweep: Any) -> Sequence[Problem]:
        from indexer.sweep.plan import problems_of  # with the kernels, which nothing else needs

        return problems_of(sweep)

    problems = problems_in(files, of_sweep)
    if as_json:
        found = [dataclasses.asdict(problem) for problem in problems]
        click.echo(json.dumps({"valid": not found, "problems": found}, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(shown(str(problem)))
        if not problems:
            click.echo(f"{len(files)} valid")
    if problems:
        sys.exit(EXIT_CODES[DefinitionError])


for command in (
    *(fetch, calendar, constituents, report, init, sweep),
    *(publish, restate, history, verify, export, proforma, approve, retire, doctor, serve),
):
    app.add_command(command)


def main() -> None:
    """Run the command line and leave with the exit code that says what happened."""
    prepare()
    try:
        _run()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except IndexerError as error:
        _print_error(error)
        sys.exit(exit_code([error]))
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 (the last resort: a bug shows its traceback)
        # Of no file: of the screen, but for what says that processes or connections failed
        if isinstance(error, OSError) and error.filename is None and error.errno in _SCREEN:
            _print_error(OutputError("standard output", error.strerror or str(error)))
            sys.exit(EXIT_CODES[OutputError])
        traceback.print_exc()
        click.echo("this is a bug in indexer: please report it with the lines above", err=True)
        sys.exit(EXIT_CODES[BugError])


def _run() -> None:
    """Run the command line; what could not be printed is told here and not when Python ends."""
    try:
        sys.exit(app(standalone_mode=False))
    finally:
        try:
            flush_output()
        except BrokenPipeError:
            sys.exit(EXIT_CODES[OutputError])


def _print_error(error: IndexerError) -> None:
    for line in str(error).splitlines():
        click.echo(f"error: {shown(line)}", err=True)


if __name__ == "__main__":
    main()
