"""The command that brings market data in, and what a person sees of it."""

import json
import os
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from indexer.cli.options import JSON, date_of
from indexer.cli.screen import print_table, progress, shown

SOURCES = ("eastmoney", "tencent", "sina", "csindex", "cninfo", "safe")


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="(BASKET|STUDY)...")
@click.option(
    "--market",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the market store, made where it is missing.",
)
@click.option("--since", type=date_of, metavar="DATE", help="First date, inclusive.")
@click.option("--until", type=date_of, metavar="DATE", help="Last date, inclusive.")
@click.option("--source", type=click.Choice(SOURCES), help="Ask this source alone.")
@JSON
def fetch(
    names: tuple[str, ...],
    market: Path,
    since: date | None,
    until: date | None,
    source: str | None,
    as_json: bool,
) -> None:
    """Bring in the market data that each BASKET or STUDY needs.

    Through akshare, from two sources where there are two. What is there already is not asked for
    again but for the last sessions; a fetch that was cut off goes on where it was.
    """
    from indexer.run import fetch as use

    way = use.Way(os.environ, SystemClock(), source)
    if since and until and since > until:
        raise click.UsageError(f"--since {since} is later than --until {until}")
    with progress() as tell:
        found = use.fetch_through_akshare(
            names, market, way, since=since, until=until, progress=tell
        )
    report = use.report_of(found)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, allow_nan=False))
    else:
        _print(report)
    if found.problem is not None:
        raise found.problem


def _print(report: dict[str, Any]) -> None:
    """Print what came from where, and what was refused and why."""
    rows: list[tuple[str, ...]] = []
    for need in report["needs"]:
        count = need["rows"].get(need["table"], 0)
        told = " ".join(need["sources"]) + (" alone" if need["single"] else "")
        cells = (need["subject"], need["table"], need["outcome"], told)
        rows.append((*cells, str(count), str(need["refused"] or "")))
    print_table(("subject", "table", "outcome", "from", "rows", "refused"), rows)
    for need in report["needs"]:
        what = f"{need['table']} of {need['subject']}"
        lines = [f"{source}: {reason}" for source, reason in need["failures"].items()]
        against = f"{need['outcome']}: {need['reason']}"
        open_ = need["outcome"] not in {"ok", "no_data_explained"}
        if open_ and not any(line.endswith(against) for line in lines):
            lines.append(against)
        for line in lines:
            click.echo(f"note: {shown(f'{what}: {line}')}", err=True)
    for line in report["disregarded"]:
        click.echo(f"refused: {shown(line)}", err=True)
