"""Variants: a definition with other values at some of its keys, checked like any other."""

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, NamedTuple, TypeVar

from indexer.definitions.model import Definition, fields_at, is_list
from indexer.definitions.read import validated
from indexer.definitions.sweep import Sweep
from indexer.definitions.text import Document, Mark, Trail
from indexer.errors import DefinitionError, short

Kind = TypeVar("Kind", bound=Definition)


class Choice(NamedTuple):
    """One of the items that a sweep lists at a key."""

    key: str
    item: int


def varied(definition: Kind, sweep: Sweep, choices: Iterable[Choice]) -> Kind:
    """Return a definition with the items that were chosen in the place of its values.

    What is wrong with an item is told where it stands in the sweep.

    Raises
    ------
    DefinitionError
        With everything that is wrong with the variant.
    """
    document = _copied(definition)
    there = sweep._document or Document(sweep.id, {}, {}, {})
    for choice in choices:
        path = tuple(choice.key.split("."))
        value = deepcopy(sweep.vary[choice.key][choice.item])
        at: Trail = ("vary", choice.key, choice.item)
        field = fields_at(type(definition), path[:-1])[path[-1]]
        listed = is_list(field.annotation) and not isinstance(value, list)
        _put(document, path, [value] if listed else value, there.values.get(at))
        for marks, found in ((document.values, there.values), (document.keys, there.keys)):
            for trail in [t for t in marks if t[: len(path)] == path and len(t) > len(path)]:
                del marks[trail]
            inside: Trail = (*path, 0) if listed else path
            marks |= {inside + t[len(at) :]: m for t, m in found.items() if t[: len(at)] == at}
    return validated(type(definition), document, [])


def _copied(definition: Definition) -> Document:
    """Return the document a definition was read from, or the one it would be, to be changed."""
    found = definition._document
    if found is None:
        return Document(f"{definition.id}.yaml", json.loads(definition.canonical), {}, {})
    return Document(found.file, deepcopy(found.content), dict(found.values), dict(found.keys))


def _put(document: Document, path: tuple[str, ...], value: Any, mark: Mark | None) -> None:
    """Put a value at a path; the parents that are not there are made."""
    parent = document.content
    for n, key in enumerate(path[:-1], 1):
        parent = parent.setdefault(key, {})
        if mark is not None:
            document.values.setdefault(path[:n], mark)
        if not isinstance(parent, dict):
            message = f"{short(parent)} stands here for all of it: vary {'.'.join(path[:n])} itself"
            raise DefinitionError([document.problem(path[:n], message)])
    parent[path[-1]] = value
    if mark is not None:
        document.values[path] = mark
