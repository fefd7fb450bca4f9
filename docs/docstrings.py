"""Docstrings as Markdown: what numpydoc says in sections, as items, code and plain text."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any


def described(part: Any, level: str = "##", home: str = "") -> Iterator[str]:
    """Yield a function or a class: its heading, signature and docstring."""
    yield f"\n{level} {part.__name__}\n"
    if inspect.isfunction(part):
        node = ast.parse(textwrap.dedent(inspect.getsource(part))).body[0]
        if isinstance(node, ast.FunctionDef) and node.returns:
            given = f"({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
            line = f"{home or part.__module__}.{part.__name__}{given}"
            yield f"```text\n{textwrap.fill(line, 84, subsequent_indent='    ')}\n```\n"
    yield from prose(inspect.getdoc(part) or "")


def prose(text: str) -> Iterator[str]:
    """Yield a numpydoc text as Markdown: sections in bold, arguments as items, examples as code."""
    parts = re.split(r"^(\w+)\n-{3,}\n", inspect.cleandoc(text), flags=re.MULTILINE)
    yield plain(parts[0]) + "\n"
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        yield f"**{name}**\n"
        if name == "Examples":
            yield f"```pycon\n{body.strip()}\n```\n"
        elif name in ("Parameters", "Attributes", "Raises"):
            items = re.sub(r"^(\S.*?)(?: : |$)(.*)$", _item, body.strip(), flags=re.MULTILINE)
            yield plain(items) + "\n"
        else:
            yield plain(body.strip()) + "\n"


def _item(found: re.Match[str]) -> str:
    return f"- `{found[1]}`" + (f": {found[2]}" if found[2] else ":")


def plain(text: str) -> str:
    """Return text with what Markdown would take for markup escaped, outside code."""
    told = re.split(r"(``.*?``|`.*?`)", text, flags=re.DOTALL)
    for n in range(0, len(told), 2):
        told[n] = re.sub(r"([*_<\[])", r"\\\1", told[n])
    return "".join(told)


def first(part: Any) -> str:
    """Return the first paragraph of a docstring on one line."""
    return plain((inspect.getdoc(part) or "").partition("\n\n")[0].replace("\n", " "))


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield a table, and an empty line after it."""
    for row in (header, ("---",) * len(header), *rows):
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""
