"""Published levels built again from the rows that the ledger itself has kept (B15)."""

import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from benchmarks.reliability.record import ROOT, Found
from benchmarks.reliability.world import definitions, drawn
from indexer.definitions.basket import Basket
from indexer.definitions.read import restore_index
from indexer.index.build import build
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.heads import heads
from indexer.ledger.history import history_rows, read_definition
from indexer.run.desk import Desk
from indexer.run.entries import index_candidate
from indexer.run.publish import record
from indexer.run.stored import market_of_entry

SPAN = (date(2024, 1, 2), date(2024, 12, 31))
FIRST = 100  # row of the first session that is published
NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


def older_processor() -> dict[str, str]:
    """Return what makes a process calculate as on an x86-64 processor of 2008.

    BLAS, numpy and compiled code each look at the processor for themselves.
    """
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": " ".join(extensions.get("found", ())),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
    }


def replay(seed: int, threads: int, count: int, memory: Path) -> Found:
    """Publish levels of several indices, and build some of them again in another process.

    That one has so many threads, an older processor, an empty cache of compiled kernels, and no
    market folder.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=memory) as name:
        url = f"sqlite:///{Path(name) / 'indexer.db'}"
        _publish(url, seed, count)
        environment = {
            **os.environ,
            **older_processor(),
            "NUMBA_NUM_THREADS": str(threads),
            "POLARS_MAX_THREADS": str(threads),
            "NUMBA_CACHE_DIR": name,
        }
        words = [sys.executable, "-m", "benchmarks.reliability.replay", url, str(seed), str(count)]
        done = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
    tried, *wrong = done.stdout.splitlines()
    return Found(int(tried), tuple(wrong), time.perf_counter() - began)


def _publish(url: str, seed: int, count: int) -> None:
    world = drawn(seed, *SPAN, pauses=0.0)
    engine = open_ledger(url, create=True)
    some = definitions(seed, world, count=4)
    sessions = [world.day(row) for row in range(FIRST, len(world.days))]
    each = -(-count // (3 * len(some)))  # an entry has the levels of three variants
    desk = Desk(engine, Path("out"), NOW, "run")
    for told in some:
        history = build(Basket.model_validate(told | {"version": "1"}), world.market)
        record(desk, index_candidate(history), sessions[:each], lambda _: ())
    engine.dispose()


def again(url: str, seed: int, count: int) -> tuple[int, list[str]]:
    """Build so many levels, of sessions in random order, from what a ledger has kept of inputs."""
    engine = open_ledger(url)
    wrong: list[str] = []
    tried = 0
    with reading(engine) as connection:
        names = [f"index-{n}" for n in range(4)]
        picks = [(name, head) for name in names for head in heads(connection, name)]
        random.Random(seed).shuffle(picks)  # noqa: S311
        for name, head in picks:
            if tried >= count:
                break
            levels = _levels(connection, name, head.session)
            market = market_of_entry(connection, head.number, synthetic=True)
            index = restore_index(read_definition(connection, head.definition) or "")
            history = build(index, market, until=date.fromisoformat(head.session))
            found = {v: float(level[-1]).hex() for v, level in history.variants.items()}
            tried += len(levels)
            if found != levels:
                wrong.append(f"{name} {head.session}: {found}, published {levels}")
    return tried, wrong


def _levels(connection: sa.Connection, name: str, session: str) -> dict[str, str]:
    rows = history_rows(connection, name)
    return {row[1]: float(row[3]).hex() for row in rows if row[0] == session}


if __name__ == "__main__":
    tried, wrong = again(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(tried, *wrong, sep="\n")
