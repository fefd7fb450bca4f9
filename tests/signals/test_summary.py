"""The summary of a study: the last session in numbers, and nothing a reader must know left out."""

import json
import math
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from indexer.signals.ratios import FAMILY
from indexer.signals.result import Comparison
from indexer.signals.rotation import quadrant
from tests.signals.example import PAIRS, TRIPLE, small


def test_the_summary_is_the_last_session_in_numbers(sample: Comparison) -> None:
    told = sample.summary
    assert json.loads(json.dumps(told, allow_nan=False))["id"] == "compute-diffusion"
    assert told["synthetic"] is True
    assert told["last_session"] == str(sample.state_table["date"].max()) == "2026-08-21"
    assert told["definition_digest"] == sample.study.digest
    last = sample.state_table.filter(date=sample.state_table["date"].max())
    for row, pair in zip(last.to_dicts(), told["pairs"], strict=True):
        for key in ("leader", "follower", "state", "kind", "move_leader", "move_follower"):
            assert pair[key] == row[key]
        assert pair["since"] == str(row["since"])
        assert pair["peak_on"] == (None if row["peak_on"] is None else str(row["peak_on"]))


def test_every_figure_of_the_summary_is_the_last_of_its_signal(sample: Comparison) -> None:
    table, told = sample.table, sample.summary  # made anew each time

    def last(name: str, ids: tuple[str, ...], window: int | None) -> float:
        rows = table.filter(
            pl.col("window").eq_missing(window),
            signal=name,
            follower=ids[1],
            other=(*ids, "")[2],
        )
        return float(rows["value"][-1])

    for ids, pair in zip(PAIRS, told["pairs"], strict=True):
        assert pair["relative_strength"] == last("relative_strength", ids, None)
        assert pair["zscore"] == last("zscore", ids, 250)
        assert pair["momentum"] == {n: last("momentum", ids, n) for n in (20, 40)}
        assert pair["percentile"] == last("percentile", ids, 250)
        assert pair["beta"] == last("beta", ids, 120)
        assert (pair["gap"], pair["gap_z"]) == (last("gap", ids, 60), last("gap_z", ids, 60))
        place = (last("rs_ratio", ids, 14), last("rs_momentum", ids, 14))
        assert tuple(pair["rotation"].values()) == (*place, quadrant(*place))
        for name in ("correlation", "spearman", "level_correlation"):
            assert pair[name] == {w: last(name, ids, w) for w in (20, 60, 120)}
    (ratio,) = told["ratio_lines"]
    assert (ratio["leader"], ratio["follower"], ratio["other"]) == TRIPLE
    assert ratio["benchmark"] == "csi-all-share"
    for name in (*FAMILY, "partial_correlation_benchmark", "level_correlation"):
        assert ratio[name] == {w: last(name, TRIPLE, w) for w in (20, 60, 120)}


def test_the_summary_counts_back_tested_sessions_and_names_what_is_missing(
    sample: Comparison,
) -> None:
    told = sample.summary["indices"]
    marks = sample.levels.group_by("index").agg(pl.col("backtested").sum())
    assert {id: index["backtested_sessions"] for id, index in told.items()} == dict(marks.rows())
    assert told["north-america-compute"]["constituents"] == 47
    tested = [id for id, index in told.items() if index["backtested_sessions"]]
    assert sample.summary["backtested_before"] == {"2026-05-07": tested}
    for id, index in told.items():
        history = sample.histories[id]
        assert index["last_level_on"] == str(history.days[-1])
        assert index["market_digest"] == history.market_digest


def test_the_summary_counts_the_failed_turns_of_the_last_row(sample: Comparison) -> None:
    first, second = sample.states
    counts = np.arange(len(first.rows))
    states = (replace(first, states=first.states._replace(failed_turns=counts)), second)
    told = replace(sample, states=states).summary["pairs"]
    assert told[0]["failed_turns"] == len(first.rows) - 1
    assert told[1]["failed_turns"] == second.states.failed_turns[-1]


def test_what_has_no_value_yet_is_none() -> None:
    found = small(until=date(2024, 5, 9))
    assert found.last("zscore", "a", "b", window=10) is None
    assert found.last("momentum", "a", "b", window=99) is None
    assert found.last("momentum", "a", "b", window=2) is not None
    assert math.isclose(found.last("relative_strength", "a", "c") or 0.0, 100.0)
    (ratio,) = found.summary["ratio_lines"]
    assert ratio["partial_correlation"] == {6: None}


def test_a_mark_of_synthetic_data_is_never_lost() -> None:
    found = small()
    assert not found.synthetic
    made_up = {"b": replace(found.histories["b"], synthetic=True)}
    assert replace(found, histories=found.histories | made_up).synthetic


def test_the_summary_counts_the_constituents_that_are_held(sample: Comparison) -> None:
    id = "north-america-compute"
    shares = sample.histories[id].shares.copy()
    shares[-1, 3] = 0.0
    changed = {id: replace(sample.histories[id], shares=shares)}
    told = replace(sample, histories=sample.histories | changed).summary["indices"]

    assert (told[id]["constituents"], told["hang-seng-tech"]["constituents"]) == (46, 0)
