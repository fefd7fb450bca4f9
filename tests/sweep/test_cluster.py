"""A Dask cluster on loopback, whatever dies of it: the bytes are those of one process alone."""

import sys
from pathlib import Path

import pytest

from indexer.errors import MissingInputError, TryAgainError, UsageError
from indexer.market.excerpt import MappedMarket
from indexer.sweep.cluster import on_cluster
from indexer.sweep.perform import Place, mapped
from indexer.sweep.processes import Workers
from tests.sweep.conftest import Cluster, content, copied_market, once, swept

pytest.importorskip("distributed")

Grid = tuple[Path, dict[str, bytes]]


def test_two_workers_make_the_same_bytes_though_one_is_killed(
    grid: Grid, cluster: Cluster, tmp_path: Path
) -> None:
    file, alone = grid
    cluster.scheduler()
    victim, _ = cluster.worker(), cluster.worker()
    killed = once(3, lambda: cluster.kill(victim))
    swept(file, tmp_path / "out", Workers(scheduler=cluster.address), tell=killed)

    assert victim.poll() is not None
    assert content(tmp_path / "out") == alone


def test_a_scheduler_that_is_killed_and_comes_back_is_given_the_rest(
    grid: Grid, cluster: Cluster, tmp_path: Path
) -> None:
    file, alone = grid
    first = cluster.scheduler()
    workers = [cluster.worker(), cluster.worker()]

    def restart() -> None:
        cluster.kill(first)
        for worker in workers:
            cluster.kill(worker)
        cluster.scheduler()
        cluster.worker()

    swept(file, tmp_path / "out", Workers(scheduler=cluster.address), tell=once(3, restart))

    assert first.poll() is not None
    assert content(tmp_path / "out") == alone


def test_a_worker_with_too_little_memory_costs_only_time(
    grid: Grid, cluster: Cluster, tmp_path: Path
) -> None:
    """Its nanny kills it again and again; who does its tasks in the end makes no difference."""
    file, alone = grid
    cluster.scheduler()
    cluster.worker("--memory-limit", "60MB")
    cluster.worker()
    swept(file, tmp_path / "out", Workers(scheduler=cluster.address))

    assert "memory budget" in (tmp_path / "log").read_text(encoding="utf-8")
    assert content(tmp_path / "out") == alone


def test_workers_that_see_no_folder_are_sent_the_market(
    grid: Grid, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is moved away as soon as it is mapped: who is sent nothing has nothing."""
    file, alone = grid
    market = copied_market(tmp_path)

    def map_and_move(place: Place) -> MappedMarket:
        held = mapped(place)
        market.rename(tmp_path / "elsewhere")
        return held

    monkeypatch.setattr("indexer.sweep.cluster.sees", _sees_nothing)
    monkeypatch.setattr("indexer.sweep.cluster.mapped", map_and_move)
    cluster.scheduler()
    cluster.worker()
    swept(file, tmp_path / "out", Workers(scheduler=cluster.address), market=market)

    assert content(tmp_path / "out") == alone


def test_a_market_that_has_changed_before_it_is_sent_is_not_sent(
    grid: Grid, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.sweep.cluster.sees", _changes)
    cluster.scheduler()
    cluster.worker()
    with pytest.raises(TryAgainError, match="the market has changed since the sweep began"):
        swept(
            grid[0],
            tmp_path / "out",
            Workers(scheduler=cluster.address),
            market=copied_market(tmp_path),
        )


def test_without_dask_no_market_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    place = Place(str(tmp_path / "none"), "", "")

    with pytest.raises(MissingInputError, match="distributed: is not installed"):
        list(on_cluster([], place, "tcp://localhost:1"))


def test_an_address_that_dask_is_not_configured_for_is_an_error_of_use(
    grid: Grid, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="dask has no certificates for it"):
        swept(grid[0], tmp_path / "out", Workers(scheduler="tls://127.0.0.1:1"))


def _changes(place: Place) -> bool:
    with (Path(place.folder) / "fx.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    return False


def _sees_nothing(_: object) -> bool:
    return False
