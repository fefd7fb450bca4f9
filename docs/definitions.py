"""The pages of definitions: their keys, and how each bundled index and study is made."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from docs.docstrings import plain, table
from indexer.definitions.basket import Basket, Index
from indexer.definitions.schema import basket_schema, study_schema, sweep_schema
from indexer.definitions.study import Study
from indexer.definitions.symbols import parse_symbol
from indexer.report.method import index_method, study_method

_SPELLINGS = (
    "688981.SS 688981.XSHG SHSE.688981 sh688981 SH688981 688981.sh 688981",
    "300308.XSHE SZSE.300308 sz300308 300308",
    "430047.XBEI bj430047 430047",
    "00700.XHKG 00700.HI hk00700 700.HK",
    "NVDA.XNAS NVDA.XNYS gb_nvda",
)


def definition_keys() -> Iterator[str]:
    """Yield the keys of every kind of definition, from its JSON Schema."""
    yield "# Definitions\n"
    yield "Every scalar is read as text and typed by these rules. An unknown key is an error."
    told = set[str]()
    for schema in (basket_schema(), study_schema(), sweep_schema()):
        yield f"\n## {schema['title']}\n"
        for name, part in _parts(schema).items():
            if name in told:
                continue
            told |= {name} - {""}
            yield f"\n### {name}\n" if name else ""
            yield plain(part.get("description", "")) + "\n"
            keys = next((p for p in part.get("anyOf", ()) if "properties" in p), part)
            rows = [
                (
                    f"`{key}`",
                    "yes" if key in keys.get("required", ()) else "",
                    _kind(of),
                    _default(of),
                )
                for key, of in (keys["properties"] | keys.get("patternProperties", {})).items()
            ]
            yield from table(("key", "needed", "is", "default"), rows)
    yield from _symbols()


def _symbols() -> Iterator[str]:
    """Yield how a symbol may be written, and what it is then; each spelling is read here."""
    yield "\n## Spellings of a symbol\n"
    yield """\
Six digits with SH, SZ or BJ, five with HK, a word with US. Tables of a market folder take this form
alone. A definition, and the file of constituents that it names, take others too, and nothing is
said of it: results have the first form.
"""
    told = [(spelling, parse_symbol(spelling)) for line in _SPELLINGS for spelling in line.split()]
    rows = {symbol: [s for s, meant in told if meant == symbol] for _, symbol in told}
    cells = [(f"`{one}`", " ".join(f"`{s}`" for s in many)) for one, many in rows.items()]
    yield from table(("is", "may be written"), cells)
    yield """\
Zeros before a code may be left out in Hong Kong only. Six digits alone are taken where they can
mean but one share; 000001, a share or an index, and 510300, which is no share, are refused.
"""


def _parts(schema: dict[str, Any]) -> dict[str, Any]:
    """Return each part of a schema by name; its own top level, where it has keys, under none."""
    parts: dict[str, Any] = schema["$defs"]
    return parts if "if" in schema else {"": schema} | parts


def _default(of: dict[str, Any]) -> str:
    text = json.dumps(of.get("default")).replace('"', "")
    return "" if text == "null" else f"`{text}`"


def _kind(of: dict[str, Any]) -> str:
    """Return in words what a JSON Schema allows, and what it is."""
    said = of.get("description", "")
    return "; ".join(filter(None, (_allowed(of), said)))


def _allowed(of: dict[str, Any]) -> str:
    if "$ref" in of:
        name = of["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in of or "const" in of:
        return " ".join(f"`{v}`" for v in of.get("enum", [of.get("const")]) if isinstance(v, str))
    if of.get("type") == "array":
        return f"list of: {_kind(of['items'])}"
    kinds = of.get("type", "any")
    told = kinds if isinstance(kinds, str) else kinds[0]
    words = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "to"}
    words |= {"exclusiveMaximum": "below"}
    numeric = told in ("integer", "number")
    bounds = [f"{word} {of[key]:g}" for key, word in words.items() if numeric and key in of]
    told = of.get("format", {"object": "keys"}.get(told, told))
    return " ".join([told, *bounds])


def method(one: Index | Study) -> Iterator[str]:
    """Yield the page of a bundled definition."""
    yield f"# {one.name.en}\n"
    yield f"`{one.id}` · {one.name.zh}\n" if one.name.zh else f"`{one.id}`\n"
    if one.description:
        yield plain(one.description.en) + "\n"
        yield f"{one.description.zh}\n" if one.description.zh else ""
    told = list(study_method(one) if isinstance(one, Study) else index_method(one))
    yield "\n\n".join(text.en for text in told if text.en) + "\n"
    yield "\n\n".join(text.zh for text in told if text.zh) + "\n"
    if isinstance(one, Basket):
        cells = [(f"`{c.symbol}`", c.name or "", c.segment or "") for c in one.constituents]
        yield f"\n## Constituents\n\n{len(cells)} are listed.\n"
        yield from table(("symbol", "name", "segment"), cells)
    if isinstance(one, Study):
        pairs = [(_link(p.leader), _link(p.follower)) for p in one.pairs]
        yield from table(("leader", "follower"), pairs)
    yield f"The definition is `baskets/{one.id}.yaml`, its digest `{one.digest}`."


def _link(id: str) -> str:
    return f"[{id}]({id}.md)"


def methods(definitions: Iterable[Index | Study]) -> Iterator[str]:
    """Yield the list of the pages that `method` makes."""
    yield "# Methodology\n"
    yield "How each bundled index and study is made, from its own definition. The"
    yield "[rules of calculation](../rules.md) hold for all of them.\n"
    rows = [
        (f"[{one.name.en}]({one.id}.md)", one.name.zh or "", type(one).__name__.lower())
        for one in definitions
    ]
    yield from table(("name", "", "is a"), rows)
