"""The command that sweeps: what it prints and writes, its exit codes, and what its page shows."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from indexer.cli.app import main
from indexer.cli.sweep import _print
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET
from indexer.sweep import perform as module

GRID = """version: 1
id: grid
study: compute-diffusion
vary: {catch_up.enter: [0.5, 1.0], windows.zscore: [60, 120]}
evaluate: {cost_bps: 20}
"""
MARKET = ("--market", str(BUNDLED_MARKET), "--jobs", "1")


@pytest.fixture
def indexer(tmp_path, monkeypatch, capfd):
    """Return a way to run the command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(text, *arguments):
        Path("grid.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["indexer", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        return (stopped.value.code or 0, *capfd.readouterr())

    return run


def test_results_summary_and_page_are_written_into_out(indexer):
    code, out, _ = indexer(GRID, "sweep", "grid.yaml", *MARKET)
    table = pl.read_csv("out/results.csv", infer_schema_length=None)
    summary = json.loads(Path("out/summary.json").read_text())

    assert code == 0
    count, of = summary["backtested"].values()
    assert 0 < count <= of
    mark = f"SYNTHETIC DATA  back-tested in {count} of {of} episodes"
    assert f"4 tried, 0 failed  {mark}\n" in out
    assert table.height == summary["tried"] == 4
    assert table["windows.zscore"].to_list() == [60, 120, 60, 120]
    assert summary["trials"] == 8
    assert 0 <= summary["best"]["deflated_sharpe"] <= 1
    assert summary["cost_bps"] == 20


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("us-cloud", "is an index: name a sweep, or use indexer build"),
        ("cloud-catch-up", "is a study: name a sweep, or use indexer run"),
    ],
)
def test_what_is_no_sweep_is_told_what_it_is(indexer, name, told):
    code, _, err = indexer(GRID, "sweep", name, *MARKET)

    assert code == 78
    assert told in err


def test_one_json_object_is_the_summary(indexer):
    _, out, err = indexer(GRID, "sweep", "grid.yaml", *MARKET, "--json")

    assert json.loads(out) == json.loads(Path("out/summary.json").read_text())
    assert "failed" not in err


def test_a_wrong_variant_is_told_at_the_end_and_the_others_are_there(indexer):
    text = GRID.replace("[0.5, 1.0]", "[0.5, -1.0]")
    code, out, err = indexer(text, "sweep", "grid.yaml", *MARKET)
    table = pl.read_csv("out/results.csv", infer_schema_length=None)

    assert code == 78
    assert "4 tried, 2 failed" in out
    assert "grid.yaml:4:30: catch_up.enter: got '-1.0'" in err
    assert table["error"].null_count() == 2


def test_of_many_failures_the_first_are_told_and_how_many_more(indexer):
    text = GRID.replace("[0.5, 1.0]", str([-n for n in range(1, 13)])).replace("60, 120", "60")
    code, out, err = indexer(text, "sweep", "grid.yaml", *MARKET)

    assert code == 78
    assert "12 tried, 12 failed" in out
    assert err.count("failed: variant ") == 10
    assert "failed: 2 more, in summary.json\n" in err


@pytest.mark.parametrize(
    ("message", "told"),
    [("first", "first\n"), ("first\nsecond\nthird\n", "first (and 2 more)\n")],
)
def test_of_a_failure_the_first_line_is_told_and_how_many_more(capsys, tmp_path, message, told):
    failure = {"index": None, "number": 3, "message": message}
    found = {"id": "grid", "tried": 1, "failed": 1, "synthetic": False, "failures": [failure]}
    found |= {"backtested": {"count": 0, "of": 1}, "warnings": []}
    _print(found, tmp_path)

    assert f"failed: variant 3: {told}" in capsys.readouterr().err


def test_of_many_warnings_the_first_are_told_and_how_many_more(capsys, tmp_path):
    told = {"id": "grid", "tried": 1, "failed": 0, "synthetic": False, "failures": []}
    told |= {"backtested": {"count": 0, "of": 1}, "warnings": [f"w{n}" for n in range(12)]}
    _print(told, tmp_path)
    err = capsys.readouterr().err.splitlines()

    assert err[:10] == [f"warning: w{n}" for n in range(10)]
    assert err[10:] == ["warning: 2 more, in summary.json", f"written to {tmp_path}"]


def test_what_the_market_lacks_is_the_exit_code(indexer):
    text = GRID.replace("catch_up.enter: [0.5, 1.0]", "start: ['2024-01-02', '2060-01-04']")
    code, _, err = indexer(text, "sweep", "grid.yaml", *MARKET)

    assert code == 66
    assert "no session from 2060-01-04 on" in err


def test_a_bug_is_the_worst_of_all(indexer, monkeypatch):
    monkeypatch.setattr(module, "study_result", lambda *_: 1 / 0)
    code, _, err = indexer(GRID, "sweep", "grid.yaml", *MARKET)

    assert code == 70
    assert "ZeroDivisionError: division by zero: this is a bug in indexer" in err


def test_an_unknown_key_is_refused_before_anything_is_done(indexer):
    text = GRID.replace("windows.zscore", "windows.zscores")
    code, _, err = indexer(text, "sweep", "grid.yaml", *MARKET)

    assert code == 78
    assert "did you mean 'windows.zscore'?" in err
    assert not Path("out").exists()


def test_a_sweep_is_validated_like_any_definition(indexer):
    sound = indexer(GRID, "validate", "grid.yaml")
    wrong = indexer(GRID.replace("study: c", "study: x"), "validate", "grid.yaml")

    assert sound[:2] == (0, "1 valid\n")
    assert wrong[0] == 78
    assert "grid.yaml:3:8: study: no definition of 'xompute-diffusion' found" in wrong[1]


def test_a_sweep_is_no_study(indexer):
    code, _, err = indexer(GRID, "study", "grid.yaml", "--market", str(BUNDLED_MARKET))

    assert code == 78
    assert "run it with indexer sweep" in err


@pytest.mark.parametrize("address", ["foo", "tcp://127.0.0.1", "tcp://host:abc", "ucx://host:1"])
def test_what_is_no_address_of_a_scheduler_is_an_error_of_use(indexer, address):
    where = ("--market", str(BUNDLED_MARKET), "--scheduler", address)
    code, _, err = indexer(GRID, "sweep", "grid.yaml", *where)

    assert code == 2
    assert f"--scheduler {address!r}: write it like tcp://HOST:PORT" in err


def test_jobs_and_a_scheduler_do_not_go_together(indexer):
    where = ("--scheduler", "tcp://127.0.0.1:1")
    code, _, err = indexer(GRID, "sweep", "grid.yaml", *MARKET, *where)

    assert code == 2
    assert "a cluster has its own workers" in err


def test_the_best_of_nothing_varied_is_told_by_its_pair(indexer):
    text = "version: 1\nid: grid\nstudy: compute-diffusion\n"
    _, out, _ = indexer(text, "sweep", "grid.yaml", *MARKET)

    assert "\nbest: north-america-compute / " in out


def test_a_cluster_without_dask_is_told_what_to_install(indexer, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    where = ("--market", str(BUNDLED_MARKET), "--scheduler", "tcp://127.0.0.1:1")
    code, _, err = indexer(GRID, "sweep", "grid.yaml", *where)

    told = "distributed: is not installed: in the checkout, pip install '.[dist]'"
    assert (code, told in err) == (66, True)


def test_many_baskets_have_their_levels_in_one_table(indexer):
    text = f"version: 1\nid: grid\nbaskets: {BUNDLED_BASKETS}/*-compute.yaml\n"
    code, *_ = indexer(text, "sweep", "grid.yaml", *MARKET, "--format", "parquet")
    levels, results = (pl.read_parquet(f"out/{n}.parquet") for n in ("levels", "results"))
    last = levels.filter(pl.col("variant") == "price").group_by("index").last().sort("index")

    assert code == 0
    assert results["index"].to_list() == ["domestic-compute", "north-america-compute"]
    assert last["level"].to_list() == results["last_level"].to_list()
