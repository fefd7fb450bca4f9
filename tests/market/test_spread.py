"""A market spread out is the same whoever fills it, and kept whole or not at all."""

import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from indexer.market import spread
from indexer.market.calendar import read_calendar
from indexer.market.excerpt import MappedMarket, map_market
from indexer.market.spread import (
    Spread,
    laid_out,
    mapped_grid,
    spread_market,
    spread_part,
    write_spread,
)
from indexer.run.find import BUNDLED_MARKET

ASKED = ("d" * 64, "XSHG", "CNY")


@pytest.fixture(scope="module")
def market() -> MappedMarket:
    return map_market(BUNDLED_MARKET)


@pytest.fixture(scope="module")
def expected(market: MappedMarket) -> Spread:
    return spread._spread(market, read_calendar("XSHG"), "CNY")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    os.chmod(tmp_path, 0o700)
    return tmp_path / "indexer" / "spread"


def same(found: Spread, expected: Spread) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind in "fM")
        for a, b in zip(found, expected, strict=True)
    )


def filled(market: MappedMarket, step: int) -> None:
    """Fill so many columns at a time, the last ones first."""
    grid, width = mapped_grid(market), len(mapped_grid(market).symbols)
    with laid_out(grid, *ASKED) as laid:
        assert laid is not None
        parts = [range(at, min(at + step, width)) for at in range(0, width, step)]
        found = {part: spread_part(market, laid, part) for part in reversed(parts)}
        write_spread(laid, grid, [found[part] for part in parts])


@pytest.mark.parametrize("step", [1, 17, 1000])
def test_columns_filled_apart_are_those_filled_at_once(
    market: MappedMarket, expected: Spread, cache: Path, step: int
) -> None:
    filled(market, step)

    assert same(spread_market(market, *ASKED), expected)
    assert len(list(cache.iterdir())) == 1


def test_what_is_kept_is_not_laid_out_again(market: MappedMarket, cache: Path) -> None:
    filled(market, 1000)

    with laid_out(mapped_grid(market), *ASKED) as laid:
        assert laid is None


def test_what_is_given_up_leaves_nothing(market: MappedMarket, cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt), laid_out(mapped_grid(market), *ASKED):
        raise KeyboardInterrupt

    assert not list(cache.iterdir())


@pytest.mark.parametrize("name", ["worth", "first"])
def test_one_that_is_damaged_is_not_used_and_made_again(
    market: MappedMarket, expected: Spread, cache: Path, name: str
) -> None:
    filled(market, 1000)
    [place] = cache.iterdir()
    file = place / f"{name}.npy"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    assert same(spread_market(market, *ASKED), expected)
    assert same(spread_market(market, *ASKED), expected)


@pytest.mark.parametrize("writes", ["numpy.save", "indexer.market.spread._lay"])
def test_a_full_disk_costs_only_time(
    market: MappedMarket,
    expected: Spread,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    writes: str,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writes, full)

    assert same(spread_market(market, *ASKED), expected)
    assert not list(cache.iterdir())


def test_one_that_another_process_has_kept_meanwhile_stays(
    market: MappedMarket, expected: Spread, cache: Path
) -> None:
    grid = mapped_grid(market)
    with laid_out(grid, *ASKED) as laid:
        assert laid is not None
        part = spread_part(market, laid, range(len(grid.symbols)))
        filled(market, 1000)
        write_spread(laid, grid, [part])

    assert same(spread_market(market, *ASKED), expected)
    assert len(list(cache.iterdir())) == 1


def test_what_another_process_is_filling_is_left_and_what_nobody_ends_goes(
    market: MappedMarket, cache: Path
) -> None:
    filled(market, 1000)
    half, dead = cache / ".half-now", cache / ".half-then"
    half.mkdir()
    dead.mkdir()
    os.utime(dead, (1, 1))
    for n in range(spread.KEPT + 1):
        (cache / f"other{n}").mkdir()
        os.utime(cache / f"other{n}", (n + 1, n + 1))
    grid = mapped_grid(market)
    with laid_out(grid, "e" * 64, "XSHG", "CNY") as laid:
        assert laid is not None
        write_spread(laid, grid, [spread_part(market, laid, range(len(grid.symbols)))])

    assert half.is_dir()
    assert not dead.exists()
    assert len([f for f in cache.iterdir() if not f.name.startswith(".")]) == spread.KEPT


@pytest.mark.parametrize("currency", ["CNY", "HKD"])
def test_a_symbol_without_a_rate_leaves_the_others_as_they_are(
    tmp_path: Path, cache: Path, currency: str
) -> None:
    quoted = {"00700.HK": "HKD", "600001.SH": "CNY", "600002.SH": "CNY"}
    days = read_calendar("XSHG").between(date(2026, 3, 2), date(2026, 3, 6)).astype(str)
    rows = [f"{symbol},{day},{10 + n}" for n, day in enumerate(days) for symbol in quoted]
    (tmp_path / "prices.csv").write_text("symbol,date,close\n" + "\n".join(rows))
    found = spread._spread(map_market(tmp_path), read_calendar("XSHG"), currency)

    rated = [quoted[symbol] == currency for symbol in found.symbols]
    assert (~np.isnan(found.worth)).all(axis=0).tolist() == rated
    assert found.fit.tolist() == rated
