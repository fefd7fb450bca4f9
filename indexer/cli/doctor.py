"""The command that looks at everything and says what is wrong or late."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from click.core import ParameterSource

from indexer.cli.exits import exit_code
from indexer.cli.options import JSON, LEDGER
from indexer.cli.screen import shown
from indexer.errors import LedgerError, TryAgainError


@click.command()
@click.argument("names", nargs=-1, metavar="[BASKET|STUDY]...")
@click.option("--market", type=click.Path(path_type=Path), help="Market folder.")
@LEDGER
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Folder of published files: where it has some, there must be a ledger.",
)
@JSON
@click.pass_context
def doctor(
    context: click.Context,
    names: tuple[str, ...],
    market: Path | None,
    ledger: str,
    out: Path,
    as_json: bool,
) -> None:
    """Look at definitions, market, calendars and ledger, and say what is wrong or late.

    Without names, what the ledger publishes is looked at. Ends with the code of the gravest error;
    with 75 where nothing is wrong and something is late. A ledger that is named, or of which there
    are published files, must be there.
    """
    from indexer.run.doctor import examine

    named = context.get_parameter_source("ledger") is not ParameterSource.DEFAULT
    found = examine(names, market, ledger, datetime.now(UTC), named=named, out=out)
    if as_json:
        told = [{"about": c.about, "state": c.state, "message": c.message} for c in found]
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for check in found:
            for line in check.message.splitlines():
                click.echo(f"{check.state:<5} {check.about}: {shown(line)}")
    wrong = [check.error or LedgerError(()) for check in found if check.state == "wrong"]
    late = [TryAgainError(check.about, "late") for check in found if check.state == "late"]
    sys.exit(exit_code([*wrong, *late]))
