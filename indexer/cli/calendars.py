"""What upstreams announce: trading days, beside the calendars, and who is in their indices."""

import json
import os

import click

from indexer.cli.fetch import SystemClock
from indexer.cli.options import JSON

AKSHARE = "akshare"


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option(
    "--against",
    metavar="FILE|MARKET|akshare",
    help="Compare one calendar with trading days: a file of dates, a market's prices, or those of "
    "XSHG that Sina announces.",
)
@click.option("--source", default="", help="Who announced the days, for the overlay's entries.")
@click.option(
    "--write", is_flag=True, help="Put the entries into the overlay, in the place of estimates."
)
@JSON
def calendar(
    codes: tuple[str, ...], against: str | None, source: str, write: bool, as_json: bool
) -> None:
    """Show how far exchange calendars reach, and what of it is estimated.

    CODE is an ISO 10383 code such as XSHG; default XSHG, XHKG and XNYS. With --against, the dates
    to open and to close, and the entries of the overlay that would do it.
    """
    from indexer.run import announced, calendars
    from indexer.run.fetch import Way

    if against is None and (write or source):
        asked = "--write" if write else "--source"
        raise click.UsageError(f"{asked} needs --against: the days to write")
    if against is None:
        told = calendars.calendars(codes)
    elif len(codes) != 1:
        raise click.UsageError("--against compares one calendar: name its CODE")
    elif against != AKSHARE or os.path.exists(against):
        told = [calendars.against(codes[0], against, source=source, write=write)]
    elif codes[0] != announced.CALENDAR:
        raise click.UsageError(f"akshare has the trading days of {announced.CALENDAR} alone")
    else:
        days = announced.trading_days_through_akshare(Way(os.environ, SystemClock()))
        named = source or "trading days as Sina announces them"
        told = [calendars.against(codes[0], days, source=named, write=write)]
    if as_json:
        click.echo(json.dumps({"calendars": told}, ensure_ascii=False, allow_nan=False))
        return
    for one in told:
        click.echo(
            f"{one['code']:<6} {one['first']} … {one['horizon']}  {one['sessions']:,} sessions, "
            f"verified until {one['verified_until']}, {one['estimated']} estimated"
            + (f"  overlay {one['overlay'][:12]}" if one["overlay"] else "")
        )
        if "compared" in one:
            click.echo(f"compared with {against} from {one['compared'][0]} to {one['compared'][1]}")
            for title in ("to_open", "to_close"):
                dates = one[title]
                few = ", ".join(dates[:10]) + (" …" if len(dates) > 10 else "")
                click.echo(f"  {title.replace('_', ' '):<9}{len(dates)}: {few or 'none'}")
            if "written" in one:
                click.echo(f"\nwritten to {one['written']}", err=True)
            elif one["entries"]:
                click.echo(f"\nentries for the overlay:\n\n{one['entries']}", nl=False)


@click.command()
@click.argument("index", metavar="INDEX")
@JSON
def constituents(index: str, as_json: bool) -> None:
    """Show who is in INDEX, one of CSI's such as 000300.SH, and their weights at month's end.

    What is printed is a file of constituents for a basket: symbol and weight, fractions of one.
    """
    from indexer.run.announced import constituents_through_akshare
    from indexer.run.fetch import Way

    found = constituents_through_akshare(index, Way(os.environ, SystemClock()))
    at = str(found["date"][0])
    rows = found.select("symbol", "weight")
    if as_json:
        click.echo(json.dumps({"index": index, "date": at, "constituents": rows.to_dicts()}))
        return
    click.echo(rows.write_csv(), nl=False)
    click.echo(f"{len(rows)} constituents of {index} on {at}", err=True)
