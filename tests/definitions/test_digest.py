"""Digests of definitions: blind to how a thing is said, and to nothing of what is said."""

import hashlib
from pathlib import Path

import pytest

from indexer.definitions.basket import Basket
from indexer.definitions.read import read_basket, restore_index

INDEX = {
    "version": "1",
    "id": "example",
    "name": "{en: Example}",
    "currency": "CNY",
    "calendar": "XSHG",
    "base": "{date: 2024-01-02, level: 1000}",
    "weighting": "{scheme: equal}",
    "constituents": "[{symbol: 300308.SZ}, {symbol: 688981.SH}]",
}


def read(folder: Path, text: str) -> Basket:
    """Return a definition written like this."""
    (folder / "example.yaml").write_text(text, encoding="utf-8")
    basket = read_basket(folder / "example.yaml")
    assert isinstance(basket, Basket)
    return basket


def laid_out(folder: Path, text: str) -> str:
    """Return the digest of a definition written like this."""
    return read(folder, text).digest


def changed(**changes: str) -> str:
    return "".join(f"{key}: {value}\n" for key, value in (INDEX | changes).items())


def digest(folder: Path, **changes: str) -> str:
    return laid_out(folder, changed(**changes))


def test_the_digest_is_blind_to_layout_and_comments(tmp_path: Path) -> None:
    block = """# A comment.
constituents:
- symbol: "300308.SZ"   # quoted
- symbol: sh688981
weighting:
  scheme: 'equal'
base:
    level: 1_000.00
    date: 2024-01-02
calendar: XSHG
currency: >-
  CNY
name:
  en: Example
id: example
version: 1
"""
    assert laid_out(tmp_path, block) == digest(tmp_path)


@pytest.mark.parametrize(
    "stated",
    [
        {"kind": "index"},
        {"variants": "[price]"},
        {"rebalance": "{}"},
        {"rebalance": "{frequency: never, day: last session, reference_lag: 0}"},
        {"rebalance": "{price_date: reference, untradable: ignore}"},
        {"weighting": "{scheme: equal, caps: {}}"},
        {"eligibility": "{seasoning: 0}"},
        {"publish": "{decimals: 4}"},
    ],
)
def test_the_digest_is_blind_to_stated_defaults(tmp_path: Path, stated: dict[str, str]) -> None:
    assert digest(tmp_path, **stated) == digest(tmp_path)


@pytest.mark.parametrize(
    ("frequency", "months"),
    [
        ("monthly", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]"),
        ("quarterly", "[3, 6, 9, 12]"),
        ("quarterly", "[12, 3, 6, 9]"),
        ("semiannual", "[6, 12]"),
        ("annual", "[12]"),
    ],
)
def test_the_digest_is_blind_to_the_default_months(
    tmp_path: Path, frequency: str, months: str
) -> None:
    stated = digest(tmp_path, rebalance=f"{{frequency: {frequency}, months: {months}}}")
    assert stated == digest(tmp_path, rebalance=f"{{frequency: {frequency}}}")


def test_a_text_alone_is_digested_as_it_was_before_it_could_have_a_chinese_one(
    tmp_path: Path,
) -> None:
    assert '"description":"x"' in read(tmp_path, changed(description="x")).canonical


def test_the_digest_is_blind_to_whether_a_text_alone_names_its_language(tmp_path: Path) -> None:
    assert digest(tmp_path, description="{en: x}") == digest(tmp_path, description="x")


def test_a_text_in_both_languages_is_kept_and_read_again(tmp_path: Path) -> None:
    kept = read(tmp_path, changed(description="{en: x, zh: 例}")).canonical

    assert restore_index(kept).canonical == kept


MEANINGFUL = [
    {},
    {"name": "{en: Other}"},
    {"name": "{en: Example, zh: 例}"},
    {"description": "x"},
    {"description": "{en: x, zh: 例}"},
    {"selected_on": "2026-05-07"},
    {"currency": "HKD"},
    {"calendar": "XHKG"},
    {"base": "{date: 2024-01-03, level: 1000}"},
    {"base": "{date: 2024-01-02, level: 1000.0000000000001}"},
    {"variants": "[price, gross]"},
    {"variants": "[gross, price]"},
    {"withholding": "0"},
    {"withholding": "0.1"},
    {"withholding": "{CN: 0.1}"},
    {"withholding": "{HK: 0.1}"},
    {"withholding": "{CN: 0.2}"},
    {"weighting": "{scheme: price}"},
    {"weighting": "{scheme: inverse_volatility}"},
    {"weighting": "{scheme: inverse_volatility, lookback: 61}"},
    {"weighting": "{scheme: equal, caps: {constituent: 0.5}}"},
    {"weighting": "{scheme: equal, caps: {constituent: 0.6}}"},
    {"weighting": "{scheme: score, column: a}"},
    {"weighting": "{scheme: score, column: b}"},
    {"rebalance": "{frequency: quarterly}"},
    {"rebalance": "{frequency: quarterly, months: [1, 4, 7, 10]}"},
    {"rebalance": "{frequency: monthly}"},
    {"rebalance": "{day: 15}"},
    {"rebalance": "{reference_lag: 5}"},
    {"rebalance": "{price_date: effective}"},
    {"rebalance": "{untradable: freeze}"},
    {"eligibility": "{seasoning: 60}"},
    {"selection": "{rank_by: price, top: 2}"},
    {"selection": "{rank_by: price, top: 1}"},
    {"selection": "{rank_by: price, top: 1, enter: 1, keep: 2}"},
    {"max_stale": "0"},
    {"max_stale": "250"},
    {"publish": "{decimals: 2}"},
    {"constituents": "[{symbol: 688981.SH}, {symbol: 300308.SZ}]"},
    {"constituents": "[{symbol: 300308.SZ}]"},
    {"constituents": "[{symbol: 300308.SZ, segment: a}, {symbol: 688981.SH}]"},
    {"constituents": "[{symbol: 300308.SZ, from: 2025-01-01}, {symbol: 688981.SH}]"},
    {"constituents": "[{symbol: 300308.SZ, until: 2025-01-01}, {symbol: 688981.SH}]"},
]


def test_the_digest_tells_every_meaningful_change_from_every_other(tmp_path: Path) -> None:
    digests = {digest(tmp_path, **changes) for changes in MEANINGFUL}
    assert len(digests) == len(MEANINGFUL)


def test_the_digest_is_that_of_what_was_said_as_sorted_json(tmp_path: Path) -> None:
    said = (
        b'{"base":{"date":"2024-01-02","level":1000.0},"calendar":"XSHG","constituents":'
        b'[{"from":"2024-01-02","symbol":"300308.SZ"}],"currency":"CNY","id":"example",'
        b'"name":{"en":"Example"},"version":"1","weighting":{"scheme":"equal"}}'
    )
    expected = hashlib.sha256(len(said).to_bytes(8, "big") + said).hexdigest()
    constituents = "[{symbol: 300308.SZ, from: 2024-01-02}]"
    assert digest(tmp_path, constituents=constituents) == expected
