"""Manifests of market folders: what they say of prices, and what is refused."""

from pathlib import Path

import pytest

from indexer.errors import MarketDataError
from indexer.market.tables import Manifest, read_market


def folder_with(folder: Path, manifest: str | bytes) -> Path:
    """Return a market folder of one close with this manifest."""
    (folder / "prices.csv").write_text("symbol,date,close\n300308.SZ,2024-01-02,10.5\n")
    content = manifest.encode() if isinstance(manifest, str) else manifest
    (folder / "manifest.yaml").write_bytes(content)
    return folder


def test_a_folder_without_manifest_holds_raw_and_real_prices(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "")
    (folder / "manifest.yaml").unlink()
    assert read_market(folder).manifest == Manifest("raw", synthetic=False, source="")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price_kind: adjusted", "price_kind 'adjusted': expected raw or total_return_adjusted"),
        ("price_kind:", "price_kind '': expected raw or total_return_adjusted"),
        ("price_kind: [raw]", "price_kind: expected text"),
        ("synthetic: yes", "synthetic 'yes': expected true or false"),
        ("synthetic: 1", "synthetic '1': expected true or false"),
        ("synthetic: true\nsynthetic: false", "synthetic is given twice"),
        ("source: {a: b}", "source: expected text"),
        ("synthetc: true", "unknown key 'synthetc'; did you mean 'synthetic'?"),
        ("- synthetic: true", "expected keys and values, as in 'synthetic: true'"),
        ("synthetic", "expected keys and values, as in 'synthetic: true'"),
        ("a: [", "cannot be read: while parsing a flow node"),
        (b"source: \xff", "cannot be read: 'utf-8' codec can't decode"),
        ("[" * 5_000, "cannot be read: maximum recursion depth exceeded"),
    ],
)
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(MarketDataError) as refused:
        read_market(folder_with(tmp_path, text))
    [flaw] = refused.value.flaws
    assert str(flaw).startswith(f"manifest.yaml: {said}")


@pytest.mark.parametrize(
    ("text", "manifest"),
    [
        ("", Manifest()),
        ("# nothing\n", Manifest()),
        ("\ufeffsynthetic: true\r\n", Manifest(synthetic=True)),
        ("synthetic: 'false'", Manifest()),
        ("price_kind: total_return_adjusted", Manifest("total_return_adjusted")),
        ("retrieved: 2026-11-20\nsource: 50\nmore: {a: [b]}", Manifest(source="50")),
    ],
)
def test_a_manifest_is_read_as_text(tmp_path: Path, text: str, manifest: Manifest) -> None:
    assert read_market(folder_with(tmp_path, text)).manifest == manifest
