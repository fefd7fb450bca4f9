"""Definitions to begin with."""

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
def init(folder: Path) -> None:
    """Write a commented basket and study into DIR.

    They run as they are on the bundled sample. Nothing is overwritten.
    """
    from indexer.run.begin import write_templates

    for path in write_templates(folder):
        click.echo(path)
    click.echo(f"now try: indexer run {folder / 'my-study.yaml'}", err=True)
