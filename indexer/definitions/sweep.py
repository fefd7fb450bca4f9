"""Sweep definitions: one study in many variants, or many indices at once."""

from functools import cache
from typing import Annotated, Any

from pydantic import Field

from indexer.definitions.basket import Basket
from indexer.definitions.model import Definition, Id, Identified, Model, Text, fields_at, is_list
from indexer.definitions.study import Study

FIXED = ("version", "id", "name", "description", "kind")  # who it is, which no variant changes

Key = Annotated[
    str,
    Field(pattern=r"^[a-z_]+(?:\.[a-z_]+)*$", description="a dotted path, as in catch_up.enter"),
]


class Evaluate(Model):
    """What trading the states would cost: basis points of each change, both legs together."""

    cost_bps: Annotated[float, Field(ge=0, lt=10_000)] = 0.0


class Sweep(Identified):
    """Every combination of the items listed, each put in the place of the value at its key.

    A key is a path into the study or, where a study has no such key, into each of its baskets. For
    a list-valued key an item that is no list stands for a list of one.
    """

    study: Id | None = Field(default=None, description="id of the study that is varied")
    baskets: Text | None = Field(
        default=None, description="in place of study: glob of basket files, beside this one"
    )
    vary: dict[Key, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default={})
    evaluate: Evaluate = Evaluate()

    def varies(self, key: str) -> type[Definition]:
        """Return the kind of definition that a key is a path into."""
        return Basket if self.study is None or not known(Study, key) else Study


def known(model: type[Definition], key: str) -> bool:
    """Return whether a dotted path leads to a value of a kind of definition that may be varied.

    A list is varied whole: no key leads to a value inside one.

    Examples
    --------
    >>> known(Study, "catch_up.enter"), known(Study, "weighting.scheme"), known(Study, "id")
    (True, False, False)
    """
    return key in _keys_of(model)


@cache
def _keys_of(model: type[Definition]) -> frozenset[str]:
    return frozenset(keys_of(model))


def keys_of(model: type[Definition], inside: tuple[str, ...] = ()) -> list[str]:
    """Return every key of a kind of definition, or of a part of it, that may be varied.

    Examples
    --------
    >>> keys_of(Basket, ("weighting", "caps"))
    ['weighting.caps.constituent', 'weighting.caps.segment']
    """
    found = []
    for name, field in fields_at(model, inside).items():
        key = ".".join(trail := (*inside, name))
        if key not in FIXED:
            found += [key, *([] if is_list(field.annotation) else keys_of(model, trail))]
    return found
