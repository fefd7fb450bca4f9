"""Definitions to begin with."""

import json
from pathlib import Path

import click

from indexer.cli.options import JSON


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@JSON
def init(folder: Path, as_json: bool) -> None:
    """Write a commented basket and study into DIR.

    They run as they are on the bundled sample. Nothing is overwritten.
    """
    from indexer.run.begin import write_templates

    written = write_templates(folder)
    if as_json:
        click.echo(json.dumps({"files": [str(path) for path in written]}))
        return
    for path in written:
        click.echo(path)
    click.echo(f"now try: indexer run {folder / 'my-study.yaml'}", err=True)
