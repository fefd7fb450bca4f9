"""The command that sweeps, and what a person sees of it."""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from indexer.cli.exits import EXIT_CODES
from indexer.cli.options import FORMAT, JSON, NEEDED_MARKET
from indexer.cli.screen import marks, progress, shown

SHOWN = 10  # failures on the screen; summary.json has all of them


@click.command()
@click.argument("file", metavar="FILE")
@NEEDED_MARKET
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Folder the results of this sweep go to.",
)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes; one a processor.")
@click.option("--scheduler", metavar="URL", help="Dask scheduler, as tcp://HOST:PORT.")
@FORMAT
@JSON
def sweep(
    file: str,
    market: Path,
    out: Path,
    jobs: int | None,
    scheduler: str | None,
    format_: Literal["csv", "parquet"],
    as_json: bool,
) -> None:
    """Try every variant that FILE lists, or build all its baskets.

    Writes results, summary.json and report.html, and for baskets levels, into --out; the same for
    any number of workers. What is finished is kept there, and not done again.
    """
    if jobs is not None and scheduler is not None:
        raise click.UsageError("give one of --jobs and --scheduler: a cluster has its own workers")
    if scheduler is not None and not re.fullmatch(r"(tcp|tls)://\S+:\d{1,5}", scheduler):
        raise click.UsageError(f"--scheduler {scheduler!r}: write it like tcp://HOST:PORT")
    from indexer.sweep.processes import Workers, processors

    workers = Workers(jobs or processors(), scheduler)
    workers.begin()  # imports beside the next line
    from indexer.sweep.sweep import sweep as use

    with progress() as tell:
        found = use(file, market, (out, format_), workers, _estimating(tell))
    if as_json:
        click.echo(json.dumps(found.summary, ensure_ascii=False, allow_nan=False))
    else:
        _print(found.summary, out)
    kinds = {outcome.failure["kind"] for outcome in found.outcomes if outcome.failure is not None}
    if kinds:  # with the exit code of the worst failure
        sys.exit(next(code for kind, code in EXIT_CODES.items() if kind.__name__ in kinds))


def _estimating(tell: Callable[[str], None]) -> Callable[[int, int], None]:
    """Return a way to say how much is done, and how long the rest will take at this pace."""
    begun: list[tuple[float, int]] = []

    def told(done: int, total: int) -> None:
        now = time.monotonic()
        if not begun:
            begun.append((now, done))
        (start, before) = begun[0]
        left = ""
        if done > before:
            seconds = (now - start) / (done - before) * (total - done)
            left = f", {seconds / 60:.0f} min left" if seconds >= 90 else f", {seconds:.0f} s left"
        tell(f"{done} of {total} done{left}")

    return told


def _print(summary: dict[str, Any], out: Path) -> None:
    count, of = (summary["backtested"][name] for name in ("count", "of"))
    what = "episodes" if "study" in summary else "indices"
    tested = f"in {count} of {of} {what}" if count else None
    mark = marks(synthetic=summary["synthetic"], backtested=tested)
    click.echo(f"{summary['id']}: {summary['tried']} tried, {summary['failed']} failed{mark}")
    best = summary.get("best")
    if best is not None:
        values = ", ".join(f"{key} {value}" for key, value in best["values"].items())
        varied = f"{values}: " if values else ""
        deflated = best["deflated_sharpe"]
        chance = "nothing to deflate by" if deflated is None else f"deflated {deflated:.3f}"
        click.echo(f"best: {varied}{best['leader']} / {best['follower']}")
        click.echo(f"Sharpe {best['sharpe']:.4f} a row, {chance}, of {summary['trials']} trials")
    for text in summary["warnings"][:SHOWN]:
        click.echo(f"warning: {shown(text)}", err=True)
    if len(summary["warnings"]) > SHOWN:
        click.echo(f"warning: {len(summary['warnings']) - SHOWN} more, in summary.json", err=True)
    for told in summary["failures"][:SHOWN]:
        where = told["index"] or f"variant {told['number']}"
        lines = str(told["message"]).strip().splitlines()
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        click.echo(f"failed: {where}: {shown(lines[0])}{more}", err=True)
    if summary["failed"] > SHOWN:
        click.echo(f"failed: {summary['failed'] - SHOWN} more, in summary.json", err=True)
    click.echo(f"written to {out}", err=True)
