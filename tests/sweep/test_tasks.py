"""What a sweep tells of a variant is what building it alone tells."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.exceptions import PanicException

import indexer
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET
from indexer.sweep import tasks
from tests.sweep.conftest import swept, written


def _results(folder: Path, text: str) -> list[dict[str, Any]]:
    swept(written(folder, text), folder / "out")
    return pl.read_csv(folder / "out" / "results.csv").to_dicts()


def test_a_pair_has_the_state_and_the_episodes_that_the_study_tells(tmp_path: Path) -> None:
    (row,) = _results(tmp_path, "study: compute-diffusion\nvary: {windows.zscore: [120]}\n")
    definition = indexer.read_study(BUNDLED_BASKETS / "compute-diffusion.yaml")
    market = indexer.read_market(BUNDLED_MARKET)
    asked = definition.model_copy(
        update={"windows": definition.windows.model_copy(update={"zscore": 120})}
    )
    found = indexer.study(asked, market)
    told = found.summary["pairs"][0]
    pair = (pl.col("leader") == told["leader"]) & (pl.col("follower") == told["follower"])
    episodes = found.episode_table.filter(pair)
    ahead = episodes["forward_20"].drop_nulls()
    where = f"{told['leader']}/{told['follower']}."

    for name in ("last_row", "state", "kind", "since"):
        assert row[where + name] == told[name]
    assert row[f"{where}episodes"] == len(episodes)
    assert row[f"{where}hits_20"] == (ahead > 0).sum()
    assert row[f"{where}cases_20"] == len(ahead)


def test_an_index_has_the_first_and_the_last_level_that_building_it_tells(tmp_path: Path) -> None:
    text = f"baskets: {BUNDLED_BASKETS}/domestic-compute.yaml\nvary: {{weighting.scheme: [equal]}}"
    (row,) = _results(tmp_path, text + "\n")
    basket = indexer.read_basket(BUNDLED_BASKETS / "domestic-compute.yaml")
    history = indexer.build(basket, indexer.read_market(BUNDLED_MARKET))
    level = next(iter(history.variants.values()))

    assert row["first_session"] == str(history.days[0])
    assert row["last_session"] == str(history.days[-1])
    assert (row["first_level"], row["last_level"]) == (level[0], level[-1])


def test_a_panic_of_a_library_in_one_index_loses_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a library raises as it panics is no Exception."""
    whole = tasks.index_result

    def panicking(index: Any, *told: Any) -> dict[str, Any]:
        if index.id == "chinext":
            raise PanicException("of a library")
        return whole(index, *told)

    monkeypatch.setattr(tasks, "index_result", panicking)
    text = f"baskets: {BUNDLED_BASKETS}/*.yaml\nvary: {{base.level: [1000]}}\n"
    rows = _results(tmp_path, text)

    assert [row["index"] for row in rows if "of a library" in str(row["error"])] == ["chinext"]
    assert all(row["last_level"] for row in rows if row["index"] != "chinext")
