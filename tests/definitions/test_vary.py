"""Definitions with a value in the place of another, also where none of them was ever a file."""

import json
from pathlib import Path

import pytest

from indexer.definitions.basket import Basket
from indexer.definitions.read import read_basket
from indexer.definitions.sweep import Sweep
from indexer.definitions.vary import Choice, varied
from indexer.errors import DefinitionError

MADE = {
    "version": "1",
    "id": "pair",
    "name": {"en": "Pair"},
    "currency": "CNY",
    "calendar": "XSHG",
    "base": {"date": "2024-01-02", "level": 1000},
    "weighting": {"scheme": "equal"},
    "constituents": [{"symbol": "300308.SZ"}, {"symbol": "002463.SZ"}],
}


def variant(key: str, item: object, **keys: object) -> Basket:
    """Return a basket that was made, not read, with an item in the place of a value."""
    return varied(Basket.model_validate(MADE | keys), swept(key, item), [Choice(key, 0)])


def swept(key: str, item: object) -> Sweep:
    """Return a sweep of one item."""
    return Sweep.model_validate(
        {"version": "1", "id": "grid", "baskets": "*.yaml", "vary": {key: [item]}}
    )


def test_a_value_stands_in_the_place_of_another() -> None:
    assert variant("weighting.scheme", "price").weighting.scheme == "price"


def test_a_value_can_stand_where_the_definition_has_none_and_its_parents_are_made() -> None:
    assert variant("eligibility.seasoning", 60).eligibility.seasoning == 60


def test_parents_are_made_at_any_depth() -> None:
    assert variant("weighting.caps.constituent", 0.6).weighting.caps.constituent == 0.6


def test_a_value_that_stands_for_a_mapping_is_varied_itself(tmp_path: Path) -> None:
    file = tmp_path / "pair.yaml"
    file.write_text(json.dumps(MADE | {"withholding": 0.1}), encoding="utf-8")
    with pytest.raises(
        DefinitionError, match=r"'0\.1' stands here for all of it: vary withholding"
    ):
        varied(read_basket(file), swept("withholding.view", "x"), [Choice("withholding.view", 0)])


def test_what_else_the_definition_says_stays() -> None:
    found = variant("rebalance.frequency", "monthly")

    assert (found.id, found.symbols) == ("pair", ("300308.SZ", "002463.SZ"))
    assert found.weighting.scheme == "equal"


def test_what_is_wrong_with_a_variant_is_told_by_its_key() -> None:
    with pytest.raises(DefinitionError, match=r"pair\.yaml.*base\.level"):
        variant("base.level", 0)
