"""The common ground of the definition models: strictness, and text that becomes typed values."""

import re
import typing
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo

from indexer.definitions.symbols import parse_symbol
from indexer.definitions.text import Document, Trail
from indexer.digest import canonical_json, digest_bytes
from indexer.errors import Problem


def _iso_date(value: Any) -> Any:
    """Refuse what pydantic would take for a date: a number of seconds, a time of day."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(f"{value!r} is not a date: write it like 2024-01-02")
    return value


def _symbol(value: Any) -> Any:
    return parse_symbol(value) if isinstance(value, str) else value


def _series_symbol(value: Any) -> Any:
    return parse_symbol(value, series=True) if isinstance(value, str) else value


Id = Annotated[
    str, Field(pattern=r"^[a-z0-9-]{1,64}$", description="a-z, 0-9 and '-'; equals the file's stem")
]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, as in CNY")]
CalendarCode = Annotated[
    str,
    Field(pattern=r"^(?:[A-Z0-9]{4}|24/5)$", description="ISO 10383, as in XSHG, or 24/5"),
]
_SYMBOL_SCHEMA = {
    "type": ["string", "integer"],
    "description": "300308.SZ, 688981.SH, 00700.HK, NVDA.US",
}
Symbol = Annotated[str, BeforeValidator(_symbol), WithJsonSchema(_SYMBOL_SCHEMA)]
_SERIES_SCHEMA = {"type": ["string", "integer"], "description": "399006.SZ, HSTECH.HK"}
SeriesSymbol = Annotated[str, BeforeValidator(_series_symbol), WithJsonSchema(_SERIES_SCHEMA)]
Fraction = Annotated[float, Field(gt=0, le=1)]


class Model(BaseModel):
    """A part of a definition: immutable, and unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _plain_digits(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what Python takes for a number and nobody who reads the file: ``1_0`` is ten."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                refuse_underscores(text, cls.model_fields[info.field_name or ""].annotation)
        return value


def refuse_underscores(text: str, annotation: Any = float) -> None:
    """Raise where a number is asked for and its digits are grouped, other than by thousands.

    Raises
    ------
    ValueError
        If they are.
    """
    grouped = "_" in text and not re.fullmatch(r"[-+]?\d{1,3}(_\d{3})+(\.\d*)?", text)
    if grouped and re.fullmatch(r"[-+\d.eE_]+", text) and _is_number(annotation):
        raise ValueError(f"{text!r} is no number: write plain digits like 1234.5")


def _is_number(annotation: Any) -> bool:
    """Return whether a key holds numbers."""
    return annotation in (int, float) or any(map(_is_number, typing.get_args(annotation)))


class Name(Model):
    """A name in English and, where there is one, in Chinese."""

    en: Text
    zh: Text | None = None


class Prose(Name):
    """A text in English and, where there is one, in Chinese.

    A bare text in the file is the English one.
    """

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"en": value} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _as_bare(self, handler: SerializerFunctionWrapHandler) -> Any:
        """Return a text without a Chinese one as it may stand in the file: so it was digested."""
        return handler(self) if self.zh else self.en


class Identified(Model):
    """What every definition file begins with."""

    version: Literal["1"] = Field(description="version of this format")
    id: Id

    _document: Document | None = PrivateAttr(default=None)

    @property
    def canonical(self) -> str:
        """What the definition says as JSON, blind to layout, comments and stated defaults."""
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude_defaults=True))

    @property
    def digest(self) -> str:
        """SHA-256 of what the definition says."""
        return digest_bytes([self.canonical.encode()])

    @property
    def file(self) -> str:
        """The file this was read from; empty where it was made in Python."""
        return "" if self._document is None else self._document.file

    def problem(self, trail: Trail, message: str) -> Problem:
        """Return a problem at a key of the file this was read from."""
        document = self._document or Document(self.id, {}, {}, {})
        return document.problem(trail, message)


class Definition(Identified):
    """What the definition of an index or a study goes on with."""

    name: Name
    description: Prose | None = None


def fields_at(model: type[BaseModel], trail: Trail) -> dict[str, FieldInfo]:
    """Return the fields of the model at a place, by key; none where the place is no model."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key in trail:
        if isinstance(key, str):
            inner = next(_models(fields[key].annotation), BaseModel) if key in fields else BaseModel
            fields = {field.alias or name: field for name, field in inner.model_fields.items()}
    return fields


def is_list(annotation: Any) -> bool:
    """Return whether a key whose type is annotated so holds a list."""
    return typing.get_origin(annotation) is tuple or any(map(is_list, typing.get_args(annotation)))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models named anywhere in a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)
