"""From a file to a definition, or to everything that is wrong with it."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from indexer.definitions.basket import COUNTRY, Basket, Constituent, Index, Series
from indexer.definitions.model import Identified, fields_at
from indexer.definitions.rules import Rule, breaks, broken
from indexer.definitions.study import Study
from indexer.definitions.sweep import Sweep
from indexer.definitions.symbols import CALENDARS
from indexer.definitions.text import (
    Document,
    Mark,
    Trail,
    closest,
    mistyped,
    parse_yaml,
    read_text,
)
from indexer.digest import canonical_json
from indexer.errors import DefinitionError, MissingInputError, Problem, separated, short

Kind = TypeVar("Kind", bound=Identified)

_FILE = "constituents_file"
_FRACTION = "write 0.1 for 10 %"
_EXPECTED = {  # by pydantic's name of the error, where its own words name Python's types
    "string_type": "text",
    "tuple_type": "a list",
    "too_short": "at least one item",
    "float_parsing": "a number, in plain digits like 1234.5",
    "float_type": "a number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_parsing": "a day there is, like 2024-01-02",
    "date_from_datetime_parsing": "a day there is, like 2024-01-02",
}

_PATTERNS = {COUNTRY: "a country's two letters, like CN"}  # of keys, which have no description


def read_definition(path: Path | str, rules: Sequence[Rule] = ()) -> Index | Study | Sweep:
    """Return the definition in a YAML file, of the kind that its keys tell.

    A study where it has pairs or a start, a sweep where it names a study, baskets or what to vary,
    else an index.

    Parameters
    ----------
    rules : that it must keep besides its own, of what stands outside its file

    Raises
    ------
    MissingInputError
        If the file cannot be read.
    DefinitionError
        With everything that is wrong in it, each with file, line and column; also if the
        constituents file it names cannot be read.
    """
    document = parse_yaml(read_text(Path(path)), str(path))
    keys = document.content.keys()
    if keys & {"study", "baskets", "vary"}:
        return validated(Sweep, document, [], rules)
    if keys & {"pairs", "start"}:
        return validated(Study, document, [], rules)
    return _index(document, rules)


def read_basket(path: Path | str) -> Index:
    """Return the index definition in a YAML file.

    Raises
    ------
    MissingInputError
        If the file cannot be read.
    DefinitionError
        With everything that is wrong in it, each with file, line and column.
    """
    return _index(parse_yaml(read_text(Path(path)), str(path)), ())


def read_study(path: Path | str) -> Study:
    """Return the study definition in a YAML file.

    Raises
    ------
    MissingInputError
        If the file cannot be read.
    DefinitionError
        With everything that is wrong in it, each with file, line and column.
    """
    return validated(Study, parse_yaml(read_text(Path(path)), str(path)), [])


def read_sweep(path: Path | str) -> Sweep:
    """Return the sweep definition in a YAML file; raises as `read_definition` does."""
    return validated(Sweep, parse_yaml(read_text(Path(path)), str(path)), [])


def restore_index(text: str) -> Index:
    """Return the index that a canonical text tells, as it was when the text was taken.

    Raises
    ------
    ValueError
        If it is no such text: pydantic says what is wrong.
    """
    content = json.loads(text)
    kind = Series if content.get("kind") == "series" else Basket
    return kind.model_validate(content, by_alias=True, by_name=False)


def study_text(study: Study, indices: Mapping[str, Index]) -> str:
    """Return a study and the indices it looks at, in their order, as one canonical text."""
    told = [json.loads(index.canonical) for index in indices.values()]
    return canonical_json({"study": json.loads(study.canonical), "indices": told})


def restore_study(text: str) -> tuple[Study, dict[str, Index]]:
    """Return the study and the indices that a text tells; raises as `restore_index` does."""
    content = json.loads(text)
    study = Study.model_validate(content["study"], by_alias=True, by_name=False)
    indices = [restore_index(json.dumps(told)) for told in content["indices"]]
    return study, {index.id: index for index in indices}


def restore(kind: str, text: str) -> tuple[Index | Study, dict[str, Index]]:
    """Return an ``index`` or a ``study`` from its text, and the indices that a study's tells.

    Raises as `restore_index` does.
    """
    return restore_study(text) if kind == "study" else (restore_index(text), {})


def _index(document: Document, rules: Sequence[Rule]) -> Index:
    kind = document.content.get("kind", "index")
    if kind == "series":
        return validated(Series, document, [], rules)
    if kind != "index":
        message = f"got {short(kind)}, expected 'index' or 'series'"
        hint = closest(str(kind), ("index", "series"))
        raise DefinitionError([document.problem(("kind",), message + hint)])
    return validated(Basket, document, list(_take_constituents_file(document)), rules)


def validated(
    model: type[Kind], document: Document, problems: list[Problem], rules: Sequence[Rule] = ()
) -> Kind:
    """Return the document as a model; problems are those found on the way here.

    Raises
    ------
    DefinitionError
        With everything that is wrong in it.
    """
    definition = None
    try:
        definition = model.model_validate(document.content, by_alias=True, by_name=False)
        parts = dict(definition)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [_problem(model, document, d) for d in details if not _follows(d, problems)]
        parts = _sound_parts(model, document.content)
    found = (*broken(model, parts), *breaks(rules, parts))
    problems += [document.problem(*rule) for rule in found]
    stem = Path(document.file).stem
    if parts.get("id", stem) != stem:
        right = f"{parts['id']}{Path(document.file).suffix}"
        message = f"{parts['id']!r} must equal the file's stem, {stem!r}: call the file {right}"
        problems.append(document.problem(("id",), message))
    if definition is None or problems:
        raise DefinitionError(problems)
    definition._document = document
    return definition


def _sound_parts(model: type[Identified], content: dict[str, Any]) -> dict[str, Any]:
    """Return the top-level values that are valid by themselves, and the defaults of absent ones."""
    parts = {}
    for key, field in model.model_fields.items():
        if key not in content:
            if not field.is_required():
                parts[key] = field.get_default(call_default_factory=True)
            continue
        try:
            annotation: Any = Annotated[field.annotation, field]
            adapter = TypeAdapter[Any](annotation)
            parts[key] = adapter.validate_python(content[key], by_alias=True, by_name=False)
        except ValidationError:
            if key == "constituents" and isinstance(content[key], list):
                parts["listed"] = dict(_sound_constituents(content[key]))
    return parts


def _sound_constituents(items: Iterable[Any]) -> Iterator[tuple[int, Constituent]]:
    """Yield the constituents that are valid by themselves, each with its position."""
    for n, item in enumerate(items):
        with suppress(ValidationError):
            yield n, Constituent.model_validate(item, by_alias=True, by_name=False)


def _follows(detail: ErrorDetails, before: list[Problem]) -> bool:
    """Return whether a list is called empty only because its items, or their file, are wrong."""
    unread = detail["loc"] == ("constituents",) and before
    return detail["type"] == "too_short" and bool(detail["input"] or unread)


def _problem(model: type[BaseModel], document: Document, detail: ErrorDetails) -> Problem:
    """Return what pydantic found, where it stands, in words that say what to do."""
    trail, kind, got = tuple(detail["loc"]), detail["type"], detail["input"]
    if trail[-1:] == ("en",) and trail not in document.values and kind != "missing":
        trail = trail[:-1]  # a text that stands for itself
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys(model, trail[:-1])
        hint = closest(str(trail[-1]), known) or f"; known are {', '.join(known)}"
        return document.problem(trail, f"unknown key{hint}", at_key=True)
    if kind == "missing":
        beside = f": give it, or {_FILE}" if model is Basket and trail == ("constituents",) else ""
        return document.problem(trail, f"required key is missing{beside}")
    if kind == "literal_error":
        allowed = re.findall(r"'([^']+)'", context["expected"])
        message = f"got {short(got)}, expected {context['expected']}{closest(str(got), allowed)}"
    elif kind == "value_error":
        message = str(context["error"])
    elif kind in {"model_type", "model_attributes_type"}:
        message = f"got {short(got)}, expected keys and values: {', '.join(_keys(model, trail))}"
    elif kind == "string_pattern_mismatch":
        field = fields_at(model, trail[:-1]).get(str(trail[-1]))
        wanted = field and field.description
        wanted = wanted or _PATTERNS.get(context["pattern"], context["pattern"])
        message = f"got {short(got)}, expected {wanted}"
        if trail[-1] == "calendar" and (meant := CALENDARS.get(got.upper())):
            message += f"; did you mean {meant!r}?"
    elif kind == "float_parsing" and got.endswith("%"):
        message = f"got {short(got)}, expected a fraction: {_FRACTION}"
    elif kind in _EXPECTED:
        message = f"got {short(got)}, expected {_EXPECTED[kind]}"
    else:
        said = detail["msg"][:1].lower() + detail["msg"][1:]
        remedy = f"; {_FRACTION}" if context.get("le") == 1 else ""
        message = f"got {short(got)}: {said}{remedy}"
    if isinstance(got, str) and kind not in {"string_too_long", "model_type"}:
        message += mistyped(got)
    at_key = trail[-1:] == (got,) and got not in _keys(model, trail[:-1])  # a country's code
    return document.problem(trail, message, at_key=at_key)


def _keys(model: type[BaseModel], trail: Trail) -> list[str]:
    """Return the keys allowed at a place of the model; also that of a file instead of a list."""
    beside = [_FILE] if model is Basket and not trail else []
    return [*fields_at(model, trail), *beside]


def _take_constituents_file(document: Document) -> Iterator[Problem]:
    """Put the rows of the constituents file in the place of the list, with their positions."""
    content = document.content
    name = content.pop(_FILE, None)
    if name is None:
        return
    where = (_FILE,)
    if "constituents" in content:
        yield document.problem(where, "replaces constituents: give one of the two")
        return
    content["constituents"] = []
    document.values[("constituents",)] = document.values[where]
    folder = Path(document.file).parent.resolve()
    try:
        path = (folder / str(name)).resolve()
    except RuntimeError:  # a link to itself, which reading will refuse
        path = folder / str(name)
    if not isinstance(name, str) or not path.is_relative_to(folder):
        message = f"{short(name)} must be a file inside the definition's folder"
        yield document.problem(where, message)
        return
    file = str(Path(document.file).parent / name)
    try:
        yield from _rows(document, read_text(path), file)
    except DefinitionError as error:
        yield from (replace(problem, file=file) for problem in error.problems)
    except MissingInputError as error:
        yield document.problem(where, str(error))


def _rows(document: Document, text: str, file: str) -> Iterator[Problem]:
    """Append one constituent a row; yield what is wrong with the header and the cells' number."""
    rows = _marked(text, file)
    header = next(rows, (Mark(file, 1, 1), []))[1]
    known = _keys(Constituent, ())
    if message := separated(header):
        yield Problem(file, 1, 1, "", message)
        return
    for n, name in enumerate(header):
        if name not in known:
            hint = closest(name, known) or f"; known are {', '.join(known)}"
            yield Problem(file, 1, 1, "", f"unknown column {name!r}{hint}")
        elif name in header[:n]:
            yield Problem(file, 1, 1, "", f"column {name!r} is given twice")
    for n, (mark, row) in enumerate(rows):
        cells = {k: v for k, v in zip(header, row, strict=False) if k in known and v}
        document.content["constituents"].append(cells)
        document.values[("constituents", n)] = mark
        if len(row) > len(header):
            message = f"{len(row)} cells under {len(header)} columns: quote text that has a comma"
            yield Problem(*mark, f"constituents[{n}]", message)


def _marked(text: str, file: str) -> Iterator[tuple[Mark, list[str]]]:
    """Yield the rows that are not blank, each with the line it begins on."""
    reader, line = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    try:
        for row in reader:
            if row:
                yield Mark(file, line, 1), row
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"not CSV: {error}: close each quote, and double a quote within a cell"
        raise DefinitionError([Problem(file, line, 1, "", message)]) from error
