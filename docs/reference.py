"""Write reference/ and methodology/: what commands, code and definitions say of themselves.

python -m docs.reference
"""

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import click

import indexer
from docs.definitions import definition_keys, method, methods
from docs.docstrings import described, first, prose, table
from indexer.cli.app import app
from indexer.cli.exits import EXIT_CODES
from indexer.definitions.read import read_definition
from indexer.definitions.sweep import Sweep
from indexer.errors import IndexerError
from indexer.index.history import History
from indexer.market.checks import ACTIONS
from indexer.market.tables import TABLES, Manifest, Market
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET
from indexer.signals.result import Comparison

DOCS = Path(__file__).parent
_UNSAID: dict[str, Any] = {"resilient_parsing": True, "terminal_width": 200}
PICTURE = DOCS / "compute-diffusion.svg"
MADE = "<!-- Made by python -m docs.reference: do not edit. -->\n"


def main() -> None:
    """Write the pages, and remove those that are no longer made."""
    made = pages()
    for folder in ("reference", "methodology"):
        for path in (DOCS / folder).glob("*.md"):
            if path not in made:
                path.unlink()
    for path, text in (made | {PICTURE: picture()}).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Return every page that is made, and its text."""
    found = {f"reference/{name}": part() for name, part in PARTS.items()}
    bundled = [read_definition(path) for path in sorted(BUNDLED_BASKETS.glob("*.yaml"))]
    definitions = [one for one in bundled if not isinstance(one, Sweep)]
    found |= {f"methodology/{one.id}": method(one) for one in definitions}
    found["methodology/index"] = methods(definitions)
    return {
        DOCS / f"{name}.md": MADE + re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"
        for name, lines in found.items()
    }


def picture() -> str:
    """Return the lines of the bundled study, and their ratio lines beside the null, as an SVG."""
    bundled = indexer.read_study(BUNDLED_BASKETS / "compute-diffusion.yaml")
    drawn = indexer.study(bundled, indexer.read_market(BUNDLED_MARKET)).plot().svg
    at, parts = 0, []
    for svg in (drawn[0], drawn[-1]):
        high = int(svg.partition('viewBox="0 0 860 ')[2].partition('"')[0])
        parts.append(svg.replace("<svg ", f'<svg y="{at}" width="860" height="{high}" ', 1))
        at += high
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {at}">'
    return f'{opening}<rect width="860" height="{at}" fill="#fff"/>{"".join(parts)}</svg>\n'


def _start() -> Iterator[str]:
    yield "# Reference\n"
    yield "These pages are made from the program itself.\n"
    for name in list(PARTS)[1:]:
        title = next(iter(PARTS[name]())).removeprefix("# ").strip()
        yield f"- [{title}]({name}.md)"
    yield "\nThe columns of what is written are in [files](../files.md)."


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    with app.make_context("indexer", [], **_UNSAID) as context:
        yield from _help(app, context)
        for name in app.list_commands(context):
            command = app.commands[name]
            yield f"\n## indexer {name}\n"
            with command.make_context(name, [], context, **_UNSAID) as inner:
                yield f"`{command.get_usage(inner).removeprefix('Usage: ')}`\n"
                yield from _help(command, inner)
                options = [p for p in command.get_params(inner) if isinstance(p, click.Option)]
                records = [p.get_help_record(inner) or ("", "") for p in options]
                yield from table(("option", "is"), [(f"`{r[0]}`", r[1]) for r in records])


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    yield inspect.cleandoc(command.help or "") + "\n"


def _python() -> Iterator[str]:
    yield "# Python\n"
    yield "`import indexer` gives these names; they are loaded when they are first used.\n"
    for name in indexer.__all__:
        part = getattr(indexer, name)
        yield from described(part, home="indexer")
        if part.__module__.startswith("indexer.kernels"):
            yield f"What NaN means is said of [{part.__module__}](kernels.md).\n"
    for told in (History, Comparison, Market, Manifest):
        yield from described(told)
        own = {name: part for name, part in vars(told).items() if not name.startswith("_")}
        yield from (
            f"- `.{name}`: {first(part)}"
            for name, part in own.items()
            if isinstance(part, property)
        )
        for part in filter(inspect.isfunction, own.values()):
            yield from described(part, "###", home=told.__name__)
    yield ""


def _modules(title: str, package: str, opening: str) -> Iterator[str]:
    yield f"# {title}\n"
    yield opening + "\n"
    for found in iter_modules(import_module(package).__path__, f"{package}."):
        module = import_module(found.name)
        here = [
            part
            for name, part in vars(module).items()
            if getattr(part, "__module__", "") == module.__name__ and not name.startswith("_")
            if inspect.isfunction(part) or inspect.isclass(part)
        ]
        if here:
            yield f"\n## {module.__name__}\n"
            yield from prose(module.__doc__ or "")
            yield from (line for part in here for line in described(part, "###"))


_MEANT = {
    "shares": """\
A row counts from its `date` until the next one of its symbol. Counts are taken as they stand: no
split or bonus issue is applied to them. One with an ex-date on or before the reference date of a
rebalance needs a row of its own with that date, or the constituent is weighed by its old count.
From there on index shares follow the actions. Where `free_float_shares` is empty, or the column is
not there, all shares float.
""",
    "actions": """\
Rows are never merged: two are two actions, also where they are equal. A dividend that stands there
twice is paid twice.
""",
    "suspensions": """\
`from` is the first day without trade, `until` the day on which trade goes on: that day counts as
open. Where it is empty, the suspension has no end yet.
""",
}


def _tables() -> Iterator[str]:
    yield "# Market folder\n"
    yield """\
A table is `NAME.parquet`, `NAME.csv` (UTF-8) or a Delta table `NAME/`. Only `prices` is required
for an index of equal weights, only `series` for a series. Columns beyond these are ignored, a
misspelt one as well; those of `securities` are kept, for the scheme `score` and for `rank_by`.
Symbols stand in their [full form](definitions.md#spellings-of-a-symbol).

Files beyond these are ignored too. But one that has nearly the name of a table or of
`manifest.yaml` (`action.csv`, `Prices.CSV`, `manifest.yml`), or that is a table in another format
without the table beside it (`prices.xlsx`), is an error.
"""
    for name, told in TABLES.items():
        yield f"\n## {name}\n"
        rows = [
            (f"`{key}`", "yes" if key in told.required else "", column.expected)
            for key, column in told.columns.items()
        ]
        yield from table(("column", "needed", "a cell holds"), rows)
        if told.key:
            key = ", ".join(f"`{k}`" for k in told.key)
            yield f"Rows with the same {key} must agree."
        yield f"\n{_MEANT[name]}" if name in _MEANT else ""
    yield "\n## Kinds of actions\n"
    kinds = [(f"`{k}`", ", ".join(n), ", ".join(may)) for k, (n, may) in ACTIONS.items()]
    yield from table(("kind", "needs", "may have"), kinds)


def _errors() -> Iterator[str]:
    yield "# Errors and exit codes\n"
    codes: list[tuple[str, ...]] = [("0", "", "Done, or nothing to do."), ("2", "", "Wrong usage.")]
    codes.append(("130", "", "Interrupted."))
    codes += sorted((str(n), f"`{kind.__name__}`", first(kind)) for kind, n in EXIT_CODES.items())
    yield from table(("exit code", "error", "means"), sorted(codes, key=lambda row: int(row[0])))
    yield f"All of them are `{IndexerError.__name__}`. {first(IndexerError)}\n"
    yield "Any other exception is a bug too, and ends with a traceback and 70.\n"
    module = import_module(IndexerError.__module__)
    for name in ("Problem", "Flaw", "Refusal"):
        yield from described(getattr(module, name))


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "index": _start,
    "commands": _commands,
    "definitions": definition_keys,
    "market": _tables,
    "errors": _errors,
    "python": _python,
    "kernels": lambda: _modules("Kernels", "indexer.kernels", "Plain functions on arrays."),
    "signals": lambda: _modules("Signals", "indexer.signals", "Functions of lines of levels."),
}

if __name__ == "__main__":
    main()
