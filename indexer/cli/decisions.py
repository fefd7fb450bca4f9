"""Commands of what the desk decides: the next rebalance, and the end of an index."""

import json
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import click

from indexer.cli.options import BY, JSON, LEDGER, NEEDED_MARKET, OUT, date_of, plain, said
from indexer.cli.screen import print_proforma, progress


@click.command()
@click.argument("basket")
@NEEDED_MARKET
@click.option("--until", type=date_of, metavar="DATE", help="As seen after this session.")
@JSON
def proforma(basket: str, market: Path, until: date | None, as_json: bool) -> None:
    """Say what BASKET will hold after its next rebalance, as far as that is known."""
    from indexer.run.decisions import proforma as find

    with progress() as tell:
        found = find(basket, market, until, progress=tell)
    print_proforma(found, as_json)


@click.command()
@click.argument("basket")
@NEEDED_MARKET
@LEDGER
@OUT
@click.option("--until", type=date_of, metavar="DATE", help="As seen after this session.")
@BY
@click.option("--note", default="", callback=plain, metavar="TEXT", help="Anything worth keeping.")
@JSON
def approve(
    basket: str,
    market: Path,
    ledger: str,
    out: Path,
    until: date | None,
    by: str,
    note: str,
    as_json: bool,
) -> None:
    """Record who approves the next rebalance of BASKET, with its members and weights."""
    from indexer.run.decisions import approve as record
    from indexer.run.decisions import proforma as find
    from indexer.run.desk import Terms, desk_at

    with progress() as tell:
        found = find(basket, market, until, progress=tell)
    desk = desk_at(ledger, out, partial(datetime.now, UTC), [basket], Terms(by=by))
    entry = record(found, desk, note)
    print_proforma(found, as_json)
    again = "" if entry.run == desk.run else "unchanged: "
    told = f"approved by {by} as entry {entry.number}, revision {entry.revision}"
    click.echo(again + told, err=True)


@click.command()
@click.argument("index")
@LEDGER
@OUT
@click.option("--reason", required=True, callback=said, metavar="TEXT", help="Why.")
@BY
@JSON
def retire(index: str, ledger: str, out: Path, reason: str, by: str, as_json: bool) -> None:
    """Write the final entry of INDEX; its history goes on being served."""
    from indexer.run.decisions import retire as end
    from indexer.run.desk import Terms, desk_at

    desk = desk_at(ledger, out, partial(datetime.now, UTC), [index], Terms(by=by), create=False)
    entry, studies = end(index, reason, desk)
    for study in studies:
        told = f"{study} is made of it, and is published no more: retire it, or publish it without"
        click.echo(f"warning: {told}", err=True)
    if as_json:
        found = {"index": index, "number": entry.number, "session": entry.session}
        found |= {"revision": entry.revision, "recorded": entry.run == desk.run}
        click.echo(json.dumps(found))
        return
    again = "" if entry.run == desk.run else "unchanged: "
    told = f"{index} is retired: {entry.session} is final, as revision {entry.revision}"
    click.echo(again + told)
