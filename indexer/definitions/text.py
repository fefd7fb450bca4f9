"""Strict YAML: every scalar is text, and every key and value knows where it stands.

Stock YAML turns ``000063`` into 51 and ``NO`` into False, and keeps the last of two equal keys.
Here nothing is resolved (the schema gives types), and whatever a reader could overlook is refused:
duplicate keys, anchors, aliases, tags, several documents, hidden characters, deep nesting.
"""

import codecs
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from indexer.errors import DefinitionError, Flaw, MissingInputError, Problem

Trail = tuple[str | int, ...]  # the keys that lead to a value

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
# Control characters, line ends that no editor counts, marks of text direction or byte order.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufeff\ufffe\uffff]"
)
# What a Chinese keyboard types in the place of YAML's marks; in text it is as good as any other.
_MISTYPED = {
    "：": ": ",
    "，": ", ",
    "［": "[",
    "］": "]",
    "｛": "{",
    "｝": "}",
    "＃": "# ",
    "－": "- ",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "\u3000": " ",
}
_KEY = re.compile(r"^ *(?:- )?[a-z_]+(：)", re.MULTILINE)  # that is none, and begins a line
_TRIED = 8  # characters one by one: each takes reading up to it once more
_MENDED = 100  # characters together
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's parser is five times faster


class Mark(NamedTuple):
    """A place in a file, counted from one."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """A definition file as nested text, and where each key and value stands in it."""

    file: str
    content: Any
    values: dict[Trail, Mark] = field(repr=False)
    keys: dict[Trail, Mark] = field(repr=False)

    def problem(self, trail: Iterable[str | int], message: str, *, at_key: bool = False) -> Problem:
        """Return a problem at the value of a key, or at the nearest enclosing one there is."""
        path = tuple(trail)
        marks = self.keys if at_key else self.values
        found = next((path[:n] for n in range(len(path), -1, -1) if path[:n] in marks), None)
        mark = Mark(self.file, 1, 1) if found is None else marks[found]
        return Problem(*mark, printed(path), message)


def printed(trail: Trail) -> str:
    """Return a trail as people write it, ``constituents[3].symbol``, fit to be printed."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in trail)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text).removeprefix(".")


def closest(word: str, words: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the most similar word, or nothing.

    Examples
    --------
    >>> closest("weigthing", ["weighting", "name"])
    "; did you mean 'weighting'?"
    """
    best = difflib.get_close_matches(word, list(words), 1)
    return f"; did you mean {best[0]!r}?" if best else ""


def mistyped(value: str) -> str:
    """Return what to type for the first character of a value that looks like a mark, or nothing.

    Examples
    --------
    >>> mistyped("price， gross")
    "; '，' (U+FF0C) is no mark of YAML: type ', ' instead"
    """
    found = next((typed for typed in value if typed in _MISTYPED), "")
    return f"; {_remedy(found, 'YAML')}" if found else ""


def _remedy(typed: str, of: str) -> str:
    return f"{typed!r} (U+{ord(typed):04X}) is no mark of {of}: type {_MISTYPED[typed]!r} instead"


def read_text(path: Path) -> str:
    """Return the text of a definition file.

    Raises
    ------
    MissingInputError
        If there is no such file, or it cannot be read.
    DefinitionError
        If it is larger than 1 MiB, is not UTF-8, or holds hidden characters.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        reason += ": name a file in it" if isinstance(error, IsADirectoryError) else ""
        raise MissingInputError([Flaw(str(path), None, "", f"cannot be read: {reason}")]) from error
    if len(content) > MAX_BYTES:
        raise _refused(str(path), "", "is larger than 1 MiB: move the list to a constituents_file")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        raise _refused(str(path), before, "is not UTF-8: save the file as UTF-8") from error
    _refuse_hidden(text, str(path))
    return text


def _refuse_hidden(text: str, file: str) -> None:
    if hidden := _HIDDEN.search(text):
        message = f"holds the hidden character U+{ord(hidden[0]):04X}: delete it"
        raise _refused(file, text[: hidden.start()], message)


def _refused(file: str, before: str, message: str) -> DefinitionError:
    """Return an error at the end of the text that goes before it."""
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return DefinitionError([Problem(file, line, column, "", message)])


def parse_yaml(text: str, file: str) -> Document:
    """Return the one document in the text, as dictionaries and lists of text.

    Raises
    ------
    DefinitionError
        With every duplicate key, anchor, alias and tag; or the first hidden character or error of
        syntax.
    """
    _refuse_hidden(text, file)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        builder.problems.append(_syntax(text, file, error))
    except DefinitionError as stop:
        builder.problems.extend(stop.problems)
    if not builder.problems and not isinstance(builder.document, dict):
        key = _KEY.search(text)
        message = "expected keys and values, as in 'id: name'"
        builder.problems.append(
            _no_mark(text, file, key.start(1)) if key else Problem(file, 1, 1, "", message)
        )
    if builder.problems:
        raise DefinitionError(builder.problems)
    return Document(file, builder.document, builder.values, builder.keys)


def _syntax(text: str, file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark and text[mark.index : mark.index + 1] == "\t":
        said = "a tab: indent with spaces"
    elif mark and (at := _mistyped(text, mark, getattr(error, "context_mark", None))) is not None:
        return _no_mark(text, file, at)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(file, line, column, "", f"not YAML: {said}")


def _no_mark(text: str, file: str, at: int) -> Problem:
    """Return that a character is no mark, and what to type."""
    before = text[:at]
    line, column = before.count("\n") + 1, at - before.rfind("\n")
    return Problem(file, line, column, "", f"not YAML: {_remedy(text[at], 'it')}")


def _mistyped(text: str, mark: yaml.Mark, context: yaml.Mark | None) -> int | None:
    """Return where a character stands in the place of a mark, without which YAML reads on.

    It is looked for from the line before the one on which what could not be read began.
    """
    begin = text.rfind("\n", 0, max(0, text.rfind("\n", 0, (context or mark).index))) + 1
    end = text.find("\n", mark.index)
    part = text[begin:] if end < 0 else text[begin:end]
    found = [begin + n for n, typed in enumerate(part) if typed in _MISTYPED]
    for at in reversed(found[-_TRIED:]):
        if _reads(text[:at] + _MISTYPED[text[at]] + text[at + 1 :], mark.index + 1):
            return at
    mended = "".join(_MISTYPED.get(typed, typed) for typed in part)
    whole, beyond = text[:begin] + mended + text[begin + len(part) :], len(mended) - len(part)
    if 0 < len(found) <= _MENDED and _reads(whole, mark.index + beyond):
        return found[0]
    key = _KEY.search(text, 0, mark.index)
    return key.start(1) if key else None


def _reads(text: str, beyond: int) -> bool:
    """Return whether a text can be read to beyond its first so many characters."""
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if event.start_mark and event.start_mark.index > beyond:
                return True
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return mark is not None and mark.index > beyond
    return True


class _Builder:
    """Builds the tree from parser events: no recursion, so nesting cannot exhaust the stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.document: Any = None
        self.values: dict[Trail, Mark] = {}
        self.keys: dict[Trail, Mark] = {}
        self.problems: list[Problem] = []
        self._open: list[tuple[Trail, dict[str, Any] | list[Any]]] = []
        self._key: list[str | None] = []  # per open mapping: the key that waits for its value
        self._documents = 0

    def take(self, event: Event) -> None:
        if isinstance(event, NodeEvent):
            self._node(event)
        elif isinstance(event, CollectionEndEvent):
            self._open.pop()
            self._key.pop()

    def _node(self, event: NodeEvent) -> None:
        at = event.start_mark
        mark = Mark(self.file, at.line + 1, at.column + 1) if at else Mark(self.file, 1, 1)
        parent = self._open[-1][1] if self._open else None
        if isinstance(parent, dict) and self._key[-1] is None:
            self._take_key(event, mark)
            return
        trail = self._trail()
        self._refuse(event, mark, trail)
        value = self._value(event)
        self.values[trail] = mark
        if isinstance(parent, dict):
            parent[str(self._key[-1])] = value
            self._key[-1] = None
        elif isinstance(parent, list):
            parent.append(value)
        else:
            self._documents += 1
            if self._documents > 1:
                self.problems.append(
                    Problem(*mark, "", "a second document: one file, one document")
                )
            self.document = value
        if not isinstance(value, str):
            if len(self._open) >= MAX_DEPTH:
                raise DefinitionError(
                    [Problem(*mark, "", f"nested deeper than {MAX_DEPTH} levels")]
                )
            self._open.append((trail, value))
            self._key.append(None)

    def _trail(self) -> Trail:
        if not self._open:
            return ()
        trail, parent = self._open[-1]
        return (*trail, len(parent) if isinstance(parent, list) else str(self._key[-1]))

    def _value(self, event: NodeEvent) -> Any:
        if isinstance(event, MappingStartEvent):
            return {}
        if isinstance(event, SequenceStartEvent):
            return []
        return event.value if isinstance(event, ScalarEvent) else ""

    def _take_key(self, event: NodeEvent, mark: Mark) -> None:
        trail, parent = self._open[-1]
        if not isinstance(event, ScalarEvent):
            raise DefinitionError([Problem(*mark, printed(trail), "a key must be plain text")])
        path = (*trail, event.value)
        self._refuse(event, mark, path)
        if event.value in parent:
            first = self.keys[path].line
            self.problems.append(
                Problem(*mark, printed(path), f"duplicate key, first given on line {first}")
            )
        else:
            self.keys[path] = mark
        self._key[-1] = event.value

    def _refuse(self, event: NodeEvent, mark: Mark, trail: Trail) -> None:
        if isinstance(event, AliasEvent):
            message = f"alias *{event.anchor}: write the value out"
        elif event.anchor is not None:
            message = f"anchor &{event.anchor}: write each value out"
        elif getattr(event, "tag", None) is not None:
            message = "a tag: types come from the schema, delete it"
        elif isinstance(event, ScalarEvent) and (hidden := _HIDDEN.search(event.value)):
            message = f"an escape for the hidden character U+{ord(hidden[0]):04X}: delete it"
        else:
            return
        self.problems.append(Problem(*mark, printed(trail), message))
