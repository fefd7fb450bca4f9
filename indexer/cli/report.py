"""What is shown of a published date: page, workbook and tables."""

import dataclasses
import json
from datetime import date, datetime
from pathlib import Path

import click

from indexer.cli.options import JSON, KNOWN_AT, LEDGER, OUT, date_of
from indexer.cli.screen import marks, progress, shown


@click.command()
@click.argument("subject", metavar="(STUDY|INDEX)")
@LEDGER
@OUT
@click.option("--date", "day", type=date_of, metavar="DATE", help="Session; default the last one.")
@KNOWN_AT
@click.option("--bom", is_flag=True, help="CSV for Excel: byte order mark, no formulas.")
@JSON
def report(
    subject: str,
    ledger: str,
    out: Path,
    day: date | None,
    as_known_at: datetime | None,
    bom: bool,
    as_json: bool,
) -> None:
    """Write page, workbook and tables of a published session.

    They are made again from the rows the ledger has kept, by the definition of that entry, and
    written only if they are what was published. The revision is the one in force now, or at an
    instant.
    """
    from indexer.run.publication import Asked
    from indexer.run.report import report as write_report

    asked = Asked(day, as_known_at)
    with progress() as tell:
        made = write_report(subject, ledger, out, asked, bom=bom, progress=tell)
    if as_json:
        told = {
            "subject": subject,
            "kind": made.kind,
            "synthetic": made.synthetic,
            "record": dataclasses.asdict(made.record),
            "caveats": [caveat.en for caveat in made.caveats],
            "files": [str(path) for path in made.files],
        }
        click.echo(json.dumps(told, ensure_ascii=False, allow_nan=False))
        return
    mark = marks(synthetic=made.synthetic)
    click.echo(f"{subject}: {made.record.session}, revision {made.record.revision}{mark}")
    for caveat in made.caveats:
        click.echo(f"note: {subject}: {shown(caveat.en)}", err=True)
    for path in made.files:
        click.echo(path)
