"""Options that several commands share."""

import re
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import click


def plain(_: click.Context, __: click.Parameter, text: str) -> str:
    """Refuse text that would show as something else: line breaks, escapes, marks of direction."""
    if not text.isprintable():
        raise click.BadParameter(f"{text!r} is not one line of printable characters")
    return text.strip()


def said(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """Refuse text that says nothing, and what `plain` refuses: it is kept for good."""
    found = plain(context, parameter, text)
    if not found:
        raise click.BadParameter("is blank: it is kept for good, say it")
    return found


def instant(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """Return an instant that was given with its zone; refuse any other text."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no instant: write it like 2026-05-07T18:00:00+08:00"
        raise click.BadParameter(message) from None
    if found.tzinfo is None:
        message = f"{text!r} has no zone: write it like 2026-05-07T18:00:00+08:00"
        raise click.BadParameter(message)
    return found


def date_of(text: str) -> date:
    """Return a date that was given as digits of year, month and day; refuse any other text."""
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d\d-\d\d|\d{8}", text, re.ASCII):
            return date.fromisoformat(text)
    raise click.BadParameter(f"{text!r} is no date: write it like 2026-05-07 or 20260507")


_FOLDER = "Market folder; DIR@N reads version N of a store."
MARKET = click.option("--market", type=click.Path(path_type=Path), metavar="DIR", help=_FOLDER)
NEEDED_MARKET = click.option(
    "--market", type=click.Path(path_type=Path), metavar="DIR", required=True, help=_FOLDER
)
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Folder the results go to, one folder an id.",
)
UNTIL = click.option("--until", type=date_of, metavar="DATE", help="Last session, inclusive.")
FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the tables.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON value, nothing else.")
LEDGER = click.option(
    "--ledger",
    metavar="URL",
    default="sqlite:///indexer.db",
    envvar="INDEXER_LEDGER",
    show_default=True,
    show_envvar=True,
    help="SQLAlchemy URL of the ledger.",
)
BY = click.option("--by", required=True, callback=said, metavar="NAME", help="Who decided it.")
KNOWN_AT = click.option(
    "--as-known-at",
    callback=instant,
    metavar="INSTANT",
    help="Time with zone, as in 2026-05-07T18:00:00+08:00.",
)
