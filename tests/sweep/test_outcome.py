"""The best of a sweep, deflated: by hand, and as the oracle has it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.definitions.sweep import Sweep
from indexer.errors import Flaw, MissingInputError
from indexer.run.find import BUNDLED_BASKETS
from indexer.signals.evaluate import return_moments
from indexer.sweep.outcome import (
    PART,
    Outcome,
    best,
    levels_table,
    outcomes,
    results_table,
    summary,
)
from indexer.sweep.plan import Variant, failed
from tests.reference.signal_episodes import best_variant
from tests.sweep.conftest import swept, written

SWEEP = Sweep.model_validate(
    {"version": "1", "id": "grid", "study": "some", "vary": {"catch_up.enter": ["1", "2", "3"]}}
)
PAIR = {"leader": "a", "follower": "b", "episodes": 4, "backtested": 3}


def outcome(returns: np.ndarray[Any, Any] | None, number: int = 1) -> Outcome:
    """Return a variant with one pair, and what its returns say."""
    variant = Variant({"catch_up.enter": str(number)}, (("a", "b"),), text="x")
    if returns is None:
        return Outcome(variant, {"error": {"kind": "MissingInputError", "message": "none"}})
    moments = return_moments(returns)
    figures = {
        key: None if math.isnan(value) else value
        for key, value in (
            ("sharpe", moments.sharpe), ("skew", moments.skew), ("kurtosis", moments.kurtosis)
        )
    }  # fmt: skip
    pair = PAIR | {"state": "neutral", "returns": moments.length}
    return Outcome(variant, {"pairs": [pair | figures]})


def test_the_deflated_ratio_of_three_trials_by_hand() -> None:
    """Ratios .1, .2 and .3 of 101 normal returns: V = .01.

    The best of three by chance is (1 - g) Z(2/3) + g Z(1 - 1/3e) = .42278 × .43073 + .57722 ×
    1.16196 = .85280 deviations; (.3 - .085280) × 10 / √(1 + .5 × .09) = 2.10046, and the normal
    distribution is .98216 there.
    """
    pair = PAIR | {"returns": 101, "skew": 0.0, "kurtosis": 3.0}
    variant = Variant({}, (("a", "b"),), text="x")
    found = [Outcome(variant, {"pairs": [pair | {"sharpe": s}]}) for s in (0.1, 0.3, 0.2)]
    told = best(SWEEP, found)

    assert told["best"]["number"] == 2
    assert told["sharpe_variance"] == pytest.approx(0.01)
    assert told["best"]["deflated_sharpe"] == pytest.approx(0.98216, abs=1e-5)


@given(
    st.lists(st.integers(0, 9999), min_size=1, max_size=6),
    st.integers(0, 3),
    st.integers(30, 90),
)
def test_the_best_is_that_of_the_oracle(seeds: list[int], idle: int, length: int) -> None:
    """Variants that never trade count among the trials and have no ratio."""
    lines = [0.01 * np.random.default_rng(seed).standard_normal(length) for seed in seeds]
    lines += [np.zeros(length)] * idle
    told = best(SWEEP, [outcome(line, n) for n, line in enumerate(lines)])["best"]
    expected = best_variant({str(n): line.tolist() for n, line in enumerate(lines)})

    assert expected is not None
    assert told["sharpe"] == pytest.approx(expected.sharpe)
    assert told["values"]["catch_up.enter"] == expected.name
    if len(lines) == 1:  # the oracle leaves it out; ours is deflated by nothing
        return
    assert told["deflated_sharpe"] == pytest.approx(expected.deflated, abs=1e-9)


def test_a_variant_that_failed_is_a_trial_like_any_other() -> None:
    lines = [0.01 * np.random.default_rng(seed).standard_normal(250) for seed in range(5)]
    sound = [outcome(line + 0.001) for line in lines]
    with_failures = best(SWEEP, sound + [outcome(None)] * 20)
    without = best(SWEEP, sound)

    assert (with_failures["trials"], with_failures["with_sharpe"]) == (25, 5)
    assert with_failures["best"]["deflated_sharpe"] < without["best"]["deflated_sharpe"]


def test_where_nothing_trades_there_is_no_best() -> None:
    assert best(SWEEP, [outcome(np.zeros(50)), outcome(None)])["best"] is None


def test_there_is_a_row_for_every_variant_failed_or_not() -> None:
    found = [outcome(None, 1), outcome(np.zeros(50), 2), outcome(np.array([0.1, -0.1, 0.2]), 3)]
    table = results_table(found)

    assert table["number"].to_list() == [1, 2, 3]
    assert table["catch_up.enter"].to_list() == ["1", "2", "3"]
    assert table["error"].to_list() == ["none", None, None]
    assert table["a/b.state"].to_list() == [None, "neutral", "neutral"]
    assert table["a/b.sharpe"].null_count() == 2
    assert not {"a/b.skew", "a/b.leader"} & set(table.columns)


def test_a_ratio_that_nobody_has_is_a_number_all_the_same() -> None:
    """A table of another sweep, where somebody has one, has the same columns."""
    assert results_table([outcome(np.zeros(50))]).schema["a/b.sharpe"] == pl.Float64


def test_a_volatility_that_no_index_has_is_a_number_all_the_same() -> None:
    found = Outcome(outcome(None).variant, {"variant": "price", "volatility": None})

    assert results_table([found]).schema["volatility"] == pl.Float64


def test_what_went_wrong_stands_on_one_line_of_the_table() -> None:
    wrong = Variant(
        {"catch_up.enter": "1"}, failure={"kind": "DefinitionError", "message": "one\nother"}
    )

    assert results_table(outcomes([wrong], [None]))["error"].to_list() == ["one; other"]


def test_the_summary_tells_every_failure() -> None:
    error = MissingInputError([Flaw("prices", None, "600000.SH", "no close")])
    wrong = Variant({"catch_up.enter": "1"}, (("a", "b"),), failure=failed(error))
    found = outcomes([wrong, Variant({}, text="x")], [None, {"pairs": []}])
    told = summary(SWEEP, found, {"market_digest": "m"})

    assert (told["tried"], told["failed"]) == (2, 1)
    assert told["failures"][0]["kind"] == "MissingInputError"
    assert told["failures"][0]["message"] == "prices: 600000.SH: no close"
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_synthetic_data_are_told_of_also_where_every_variant_failed(tmp_path: Path) -> None:
    told = swept(written(tmp_path, STUDY), tmp_path / "out").summary

    assert (told["tried"], told["failed"], told["synthetic"]) == (1, 1, True)


STUDY = "study: compute-diffusion\nvary: {windows.zscore: [0]}\n"


def lacking(folder: Path) -> Path:
    """Return the file of a copy of a bundled basket with a constituent that has no close."""
    text = (BUNDLED_BASKETS / "domestic-compute.yaml").read_text("utf-8")
    text = text.replace("id: domestic-compute\n", "id: lacking\n")
    text = text.replace("constituents:\n", "constituents:\n  - symbol: 600001.SH\n")
    file = folder / "lacking.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "keys", ["weighting.scheme: [equal, price]", "rebalance.untradable: [ignore, freeze]"]
)
def test_who_has_no_close_is_named_by_a_sweep_of_baskets(tmp_path: Path, keys: str) -> None:
    """Once for all variants, whether the batch kernel makes them or not."""
    lacking(tmp_path)
    file = written(tmp_path, f"baskets: lacking.yaml\nvary: {{{keys}}}\n")
    found = swept(file, tmp_path / "out").summary

    assert found["failures"] == []
    assert found["warnings"] == ["lacking: left out, no close in the folder: 600001.SH"]


SHUT = """version: 1
id: shut
name: {en: Shut}
currency: USD
calendar: XNYS
base: {date: 2024-01-02, level: 1000}
weighting: {scheme: equal}
constituents: [{symbol: A.US}]
"""


def test_closes_of_days_on_which_the_exchange_was_shut_are_told_by_a_sweep_of_baskets(
    tmp_path: Path,
) -> None:
    """The 6th of January 2024 is a Saturday."""
    (tmp_path / "shut.yaml").write_text(SHUT, encoding="utf-8")
    days = ("02", "05", "06", "08")
    rows = [f"A.US,2024-01-{day},{10 + n}" for n, day in enumerate(days)]
    (tmp_path / "prices.csv").write_text("\n".join(["symbol,date,close", *rows, ""]))
    file = written(tmp_path, "baskets: shut.yaml\nvary: {weighting.scheme: [equal, price]}\n")
    found = swept(file, tmp_path / "out", market=tmp_path).summary

    assert found["failures"] == []
    assert found["warnings"] == [
        "shut: 1 close used from days closed by the exchange's calendar, the first A.US of "
        "2024-01-06"
    ]


def test_two_shares_of_one_company_are_told_by_a_sweep_of_baskets(tmp_path: Path) -> None:
    text = SHUT.replace("{symbol: A.US}", "{symbol: A.US}, {symbol: B.US}")
    (tmp_path / "shut.yaml").write_text(text, encoding="utf-8")
    rows = [f"{s}.US,2024-01-{day},{day}" for s in "AB" for day in ("02", "05", "08")]
    (tmp_path / "prices.csv").write_text("\n".join(["symbol,date,close", *rows, ""]))
    (tmp_path / "securities.csv").write_text("symbol,issuer\nA.US,One plc\nB.US,One plc\n")
    file = written(tmp_path, "baskets: shut.yaml\nvary: {weighting.scheme: [equal, price]}\n")
    [told] = swept(file, tmp_path / "out", market=tmp_path).summary["warnings"]

    assert told.endswith("each with a weight of its own: One plc (A.US, B.US)")


def test_what_is_doubtful_of_the_indices_of_a_study_is_told_by_its_sweep(tmp_path: Path) -> None:
    lacking(tmp_path)
    text = (BUNDLED_BASKETS / "compute-diffusion.yaml").read_text("utf-8")
    text = text.replace("id: compute-diffusion\n", "id: study\n")
    text = text.replace("follower: domestic-compute}", "follower: lacking}")
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    file = written(tmp_path, "study: study\nvary: {variant: [price, gross]}\n")
    found = swept(file, tmp_path / "out").summary

    assert found["failures"] == []
    assert found["warnings"] == [
        "lacking: left out, no close in the folder: 600001.SH",
        "hang-seng-tech has no gross variant here: its price is used",
    ]


def test_levels_of_a_sweep_of_baskets_do_not_stay_beside_a_later_one_of_a_study(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    swept(written(tmp_path, f"baskets: {BUNDLED_BASKETS}/csi-all-share.yaml\n"), out)
    before = (out / "levels.csv").is_file()
    swept(written(tmp_path, STUDY), out)

    assert before
    assert not (out / "levels.csv").exists()


def test_a_table_of_levels_that_no_sweep_has_written_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "levels.csv").write_text("mine", encoding="utf-8")
    swept(written(tmp_path, STUDY), out)
    swept(written(tmp_path, STUDY), out)

    assert (out / "levels.csv").read_text(encoding="utf-8") == "mine"


def test_levels_stand_in_the_order_of_the_results_in_whatever_part_they_are_made() -> None:
    """Every third index has two variants, every fifth failed, and no two have as many sessions."""
    found, rows = [], []
    for n in range(2 * PART + 3):
        days = np.datetime64("2024-01-02", "D") + np.arange(n % 7 + 1).astype("m8[D]")
        levels = {name: 1000.0 + n + np.arange(len(days)) for name in ("price", "gross")[n % 3 :]}
        failed = {"error": {"kind": "MarketDataError", "message": "none"}}
        told = failed if n % 5 == 0 else {"levels": levels | {"days": days}}
        found.append(Outcome(Variant({}, index=f"index-{n}", text="x"), told))
        for k, day in enumerate(days) if n % 5 else ():
            rows += [
                (n + 1, f"index-{n}", day.item(), name, float(levels[name][k])) for name in levels
            ]

    assert levels_table(found).collect().rows() == rows
    assert levels_table([]).collect().columns == levels_table(found).collect_schema().names()
