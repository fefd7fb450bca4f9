"""Tasks done in any order, by any number of processes, cut off at any instant: the same bytes."""

import hashlib
import os
import pickle
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import MarketDataError, OutputError, TryAgainError
from indexer.folders import turn
from indexer.market.excerpt import market_digest
from indexer.market.grid import CloseGrid
from indexer.market.spread import Laid, Part, write_spread
from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET
from indexer.sweep import processes
from indexer.sweep.execute import execute
from indexer.sweep.finished import FOLDER, read_result, sweep_away, write_result
from indexer.sweep.perform import Place, Task, perform, results_code
from indexer.sweep.processes import Workers
from indexer.sweep.tasks import opened
from tests.sweep.conftest import content, copied_market, once, swept, written

Grid = tuple[Path, dict[str, bytes]]
INDICES = f"baskets: {BUNDLED_BASKETS}/*.yaml\nvary: {{weighting.scheme: [equal, price]}}\n"


def test_three_processes_write_the_same_bytes_as_one(grid: Grid, tmp_path: Path) -> None:
    file, alone = grid
    swept(file, tmp_path / "out", Workers(3))

    assert content(tmp_path / "out") == alone


def test_so_it_is_of_indices_and_the_market_is_spread_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, parts = written(tmp_path, INDICES), []

    def kept(laid: Laid, grid: CloseGrid, filled: list[Part]) -> None:
        parts.append(len(filled))
        write_spread(laid, grid, filled)

    monkeypatch.setattr("indexer.sweep.execute.BLOCK", 16)
    monkeypatch.setattr("indexer.sweep.execute.write_spread", kept)
    for name, jobs in (("one", 1), ("two", 2)):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"cache of {name}"))
        swept(file, tmp_path / name, Workers(jobs))

    assert {"levels.csv", "results.csv"} <= set(content(tmp_path / "one"))
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert parts
    assert min(parts) > 4


@given(st.integers(0, 2**32), st.integers(1, 9))
@settings(max_examples=12)
def test_order_and_size_of_tasks_do_not_matter(seed: int, size: int) -> None:
    """Every part has the result it has in any task, after any other."""
    parts = _parts()
    random.Random(seed).shuffle(parts)  # noqa: S311
    tasks = [
        Task(tuple(k for k, _ in own), tuple(t for _, t in own), 0.0)
        for own in (parts[at : at + size] for at in range(0, len(parts), size))
    ]
    with tempfile.TemporaryDirectory() as folder:
        found = execute(tasks, _place(), Workers(), Path(folder), lambda *_: None)

    assert found == _expected()


_KNOWN: list[tuple[list[tuple[str, str]], dict[str, dict[str, Any]]]] = []


def _parts() -> list[tuple[str, str]]:
    from indexer.definitions.read import read_sweep  # noqa: PLC0415
    from indexer.sweep.plan import plan  # noqa: PLC0415

    if not _KNOWN:
        folder = Path(tempfile.mkdtemp())
        text = "study: compute-diffusion\nvary: {weighting.scheme: [equal, price], windows.zscore: "
        variants = plan(read_sweep(written(folder, f"{text}[60, 120, 250]}}\n")), Workers())
        shutil.rmtree(folder)
        parts = [(hashlib.sha256(v.text.encode()).hexdigest(), v.text) for v in variants]
        each = {k: opened(perform(_place(), Task((k,), (t,), 0.0))[0]) for k, t in parts}
        _KNOWN.append((parts, each))
    return list(_KNOWN[0][0])


def _expected() -> dict[str, dict[str, Any]]:
    return _KNOWN[0][1]


def _place() -> Place:
    return Place(str(BUNDLED_MARKET), market_digest(BUNDLED_MARKET), results_code())


def test_what_is_finished_is_not_done_again(grid: Grid, tmp_path: Path, monkeypatch) -> None:
    file, alone = grid
    shutil.copytree(file.parent / "alone" / FOLDER, tmp_path / "out" / FOLDER)
    monkeypatch.setattr("indexer.sweep.execute.perform", lambda *_: pytest.fail("done again"))
    swept(file, tmp_path / "out")

    assert content(tmp_path / "out") == alone


def test_a_damaged_result_is_made_again(grid: Grid, tmp_path: Path) -> None:
    file, alone = grid
    shutil.copytree(file.parent / "alone", tmp_path / "out")
    one, two, three, *_ = sorted((tmp_path / "out" / FOLDER).iterdir())
    one.write_bytes(one.read_bytes()[:-1])
    two.write_bytes(b"")
    three.write_bytes(three.read_bytes().replace(b"0", b"1"))
    swept(file, tmp_path / "out")

    assert content(tmp_path / "out") == alone


def test_another_market_leaves_nothing_finished(grid: Grid, tmp_path: Path) -> None:
    file, alone = grid
    market = copied_market(tmp_path)
    (market / "fx.csv").write_text((market / "fx.csv").read_text() + "\n", encoding="utf-8")
    shutil.copytree(file.parent / "alone", tmp_path / "out")
    swept(file, tmp_path / "out", market=market)

    assert len(content(tmp_path / "out")) == len(alone) + 16  # of each variant another result


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_is_kept_of_a_market_that_changes_before_it_is_mapped(
    tmp_path: Path, jobs: int
) -> None:
    market, out = copied_market(tmp_path), tmp_path / "out"

    def change() -> None:
        with (market / "suspensions.csv").open("a", encoding="utf-8") as file:
            file.write("\n")

    change()  # so that it is not mapped in this process already
    with pytest.raises(TryAgainError, match="the market has changed since the sweep began"):
        swept(written(tmp_path), out, Workers(jobs), market=market, tell=once(0, change))
    assert not (out / FOLDER).exists()


def test_what_is_asked_for_besides_is_all_that_is_done(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    base = "study: compute-diffusion\nvary: {windows.zscore: "
    swept(written(tmp_path, f"{base}[60]}}\n"), tmp_path / "out")
    again = written(tmp_path, f"{base}[60, 120]}}\n")
    swept(again, tmp_path / "out", tell=lambda *counts: told.append(counts))

    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_kills_at_random_instants_leave_nothing_wrong_behind(
    grid: Grid, tmp_path: Path, jobs: int
) -> None:
    """A run is killed again and again, its processes with it, and the next one goes on."""
    file, alone = grid
    rng, out = random.Random(jobs), tmp_path / "out"  # noqa: S311
    command = [sys.executable, "-m", "indexer.cli.app", "sweep", str(file), "--out", str(out)]
    command += ["--market", str(BUNDLED_MARKET), "--jobs", str(jobs)]
    for _ in range(4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun = time.monotonic()
        count = len(list((out / FOLDER).glob("*")))
        while process.poll() is None and time.monotonic() < begun + 60:
            if len(list((out / FOLDER).glob("*"))) > count:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.wait()
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0

    assert content(out) == alone


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    file, out = written(tmp_path), tmp_path / "out"
    command = [sys.executable, "-m", "indexer.cli.app", "sweep", str(file), "--out", str(out)]
    command += ["--market", str(BUNDLED_MARKET), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    if not Path(f"/proc/{process.pid}/task/{process.pid}/children").exists():
        process.kill()
        pytest.skip("children of a process are not told here")
    while not list((out / FOLDER).glob("*")) and process.poll() is None:
        time.sleep(0.01)
    started = _descendants(process.pid)
    process.kill()
    process.wait()
    until = time.monotonic() + 20
    while any(map(_runs, started)) and time.monotonic() < until:
        time.sleep(0.05)

    assert len(started) >= 3  # two that work, and the one they were split off from
    assert not any(map(_runs, started))


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _descendants(pid: int) -> list[int]:
    return [p for child in _children(pid) for p in (child, *_descendants(child))]


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_process_that_dies_has_its_tasks_done_by_another(grid: Grid, tmp_path: Path) -> None:
    """As when the system is short of memory and picks one."""
    file, alone = grid

    def kill_a_worker() -> None:
        os.kill(next(pid for child in _children(os.getpid()) for pid in _children(child)), 9)

    swept(file, tmp_path / "out", Workers(2), tell=once(2, kill_a_worker))

    assert content(tmp_path / "out") == alone


def test_processes_that_only_die_are_given_up(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(processes, "begun", _die)
    monkeypatch.setattr(processes, "DEATHS", 2)
    tasks = [Task((str(n),), ("{}",), 0.0) for n in range(2)]
    with pytest.raises(TryAgainError, match="2 worker processes died"):
        execute(tasks, _place(), Workers(2), tmp_path, lambda *_: None)


def _die(_: dict[str, str]) -> None:
    os._exit(1)


def test_a_bug_in_one_variant_loses_no_other_and_is_not_kept(tmp_path: Path) -> None:
    parts = _parts()[:2]
    task = Task(("broken", parts[0][0]), ("{}", parts[0][1]), 0.0)
    found = execute([task], _place(), Workers(), tmp_path, lambda *_: None)

    assert found[parts[0][0]] == _expected()[parts[0][0]]
    assert "KeyError" in found["broken"]["error"]["message"]
    assert read_result(tmp_path, "broken") is None
    assert read_result(tmp_path, parts[0][0]) is not None


def test_other_code_than_that_of_the_one_who_asks_is_refused() -> None:
    place = Place(str(BUNDLED_MARKET), "m", "of another version")
    with pytest.raises(TryAgainError, match="runs other code"):
        perform(place, Task((), (), 0.0))


def test_what_is_wrong_with_the_market_is_told_as_one_process_tells_it(tmp_path: Path) -> None:
    file, market = written(tmp_path), copied_market(tmp_path)
    with (market / "shares.csv").open("a", encoding="utf-8") as shares:
        shares.write("bad,,row\n")
    told = []
    for jobs in (1, 2):
        with pytest.raises(MarketDataError) as error:
            swept(file, tmp_path / "out", Workers(jobs), market=market)
        told.append((str(error.value), error.value.flaws))

    assert told[0] == told[1]


def test_an_error_to_try_again_later_passes_between_processes() -> None:
    error = pickle.loads(pickle.dumps(TryAgainError("market", "other code")))  # noqa: S301

    assert (error.subject, error.reason) == ("market", "other code")


def test_a_result_reads_back_as_it_was_kept(tmp_path: Path) -> None:
    write_result(tmp_path, "key", b"some\nbytes")

    assert read_result(tmp_path, "key") == b"some\nbytes"
    assert read_result(tmp_path, "other") is None


@pytest.mark.attack("B2")
def test_a_link_at_the_name_of_a_half_written_result_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (tmp_path / f".key.{os.getpid()}.indexer-tmp").symlink_to(mine)
    write_result(tmp_path, "key", b"some")

    assert mine.read_text() == "mine"
    assert read_result(tmp_path, "key") == b"some"


@pytest.mark.attack("B2")
def test_a_pipe_in_the_place_of_a_result_is_none_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")

    assert read_result(tmp_path, "key") is None


def test_a_result_that_cannot_be_put_in_its_place_leaves_nothing_half_written(
    tmp_path: Path,
) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(OutputError):
        write_result(tmp_path, "key", b"some")

    assert not list(tmp_path.glob(".key*"))


def test_what_is_swept_away_is_half_written_and_of_nobody_else(tmp_path: Path) -> None:
    for name in (".key.1.indexer-tmp", ".draft.tmp", "key"):
        (tmp_path / name).write_text("some")
    sweep_away(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {".draft.tmp", "key"}


def test_what_another_sweep_is_writing_is_not_swept_away(tmp_path: Path) -> None:
    """It has its turn; the one that starts waits for its own."""
    half = tmp_path / ".key.indexer-tmp"
    with turn(tmp_path):
        half.write_text("some")
        starting = threading.Thread(target=sweep_away, args=(tmp_path,))
        starting.start()
        starting.join(0.2)
        there = half.exists()
    starting.join()

    assert (there, half.exists()) == (True, False)


def test_a_result_is_written_in_turn(tmp_path: Path) -> None:
    with turn(tmp_path):
        keeping = threading.Thread(target=write_result, args=(tmp_path, "key", b"some"))
        keeping.start()
        keeping.join(0.2)
        before = read_result(tmp_path, "key")
    keeping.join()

    assert (before, read_result(tmp_path, "key")) == (None, b"some")
