"""The publisher that is judged: the command line itself, at an instant it is told.

What it reads is written by another process: writing tables starts threads, and a process with
threads cannot fork.
"""

import gc
import importlib
import itertools
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from benchmarks.reliability.kept import keep
from benchmarks.reliability.planted import plant
from benchmarks.reliability.scenario import Scenario, Words
from benchmarks.reliability.world import World, definitions, drawn, write_definitions, write_folder
from indexer.digest import digest_bytes
from indexer.market.tables import read_market
from indexer.run.find import study_named
from indexer.run.results import study as compare_study

ROOT = Path(__file__).parents[2]
FIRST, LAST = date(2025, 3, 3), date(2025, 12, 31)
SEED = 20260507
KERNELS = "kernels.pickle"  # which kernels publication uses, for whoever loads them beforehand
WRONG = 130  # row of a close that is put right later


@dataclass(frozen=True, slots=True)
class Publication:
    """Runs commands in a folder, with the ledger and published files in it.

    Attributes
    ----------
    inputs : folder of markets and definitions; what ``{}`` stands for in words
    planted : a bug of `planted`; empty for none
    jump : how far the clock moves whenever it is looked at
    """

    inputs: Path
    planted: str = ""
    jump: timedelta = timedelta()

    def __call__(self, folder: Path, words: Words, now: datetime) -> int:
        """Run one command as the terminal would; ``remove PATH`` loses something."""
        import indexer.cli.decisions
        import indexer.cli.ledger
        from indexer.cli import app

        os.chdir(folder)
        if words[0] == "remove":
            shutil.rmtree(folder / words[1])
            return 0
        keep(self.inputs / "kept")
        if self.planted:
            plant(self.planted)
        for commands in (indexer.cli.decisions, indexer.cli.ledger):
            commands.datetime = _stopped(now, self.jump)  # type: ignore[attr-defined]
        sys.argv = ["indexer", *(word.format(self.inputs) for word in words)]
        try:
            app.main()
        except SystemExit as left:
            return left.code if isinstance(left.code, int) else int(bool(left.code))
        return 0


def _stopped(now: datetime, jump: timedelta) -> type[datetime]:
    looks = itertools.count()

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return (now + next(looks) * jump).astimezone(tz)

    return Stopped


def warm(inputs: Path) -> None:
    """Import what a publication needs, and load kernels and calendars, without a thread."""
    import alembic.command  # noqa: F401 (slow, and imported only when a ledger is made)
    import sqlalchemy.dialects.sqlite  # noqa: F401 (as above)

    from indexer.cli import app  # noqa: F401 (with all its commands)
    from indexer.ledger.database import open_ledger
    from indexer.market.calendar import read_calendar
    from indexer.market.conventions.gates import gate_limits
    from indexer.run import attempt, decisions, publish, records, restate  # noqa: F401
    from indexer.run.provenance import code_digest, methodology

    for module, name, signatures in pickle.loads((inputs / KERNELS).read_bytes()):  # noqa: S301
        kernel: Any = getattr(importlib.import_module(module), name, None)
        for signature in signatures if kernel is not None else ():
            kernel.compile(signature)
    for code in ("XSHG", "XHKG"):
        read_calendar(code)
    code_digest()
    methodology()
    gate_limits(LAST)
    open_ledger("sqlite://", create=True).dispose()
    gc.collect()
    gc.freeze()  # what is shared with forks is not looked through, and so not copied, by each


def _compiled() -> list[tuple[str, str, list[Any]]]:
    """Return the kernels that this process has used, and for which types of arguments."""
    return [
        (kernel.py_func.__module__, kernel.py_func.__name__, kernel.signatures)
        for kernel in gc.get_objects()
        if isinstance(kernel, Dispatcher)
        and kernel.signatures
        and kernel.py_func.__module__.startswith("indexer.")
    ]


def inputs_below(memory: Path) -> Path:
    """Return the folder of inputs, written if it is not there, or by other code."""
    texts = sorted([*(ROOT / "indexer").rglob("*.py"), *Path(__file__).parent.glob("*.py")])
    place = memory / f"inputs-{digest_bytes([path.read_bytes() for path in texts])[:12]}"
    if not place.is_dir():
        half = memory / f"{place.name}.{os.getpid()}"
        words = [sys.executable, "-m", "benchmarks.reliability.publication", str(half)]
        subprocess.run(words, check=True, cwd=ROOT)
        try:
            half.rename(place)
        except OSError:  # another process was first
            shutil.rmtree(half)
    return place


def write_inputs(place: Path) -> None:
    """Write a market, the same with a close that was wrong, three indices and a study."""
    world = small_world()
    write_folder(world.market, place / "market")
    close = world.close.copy()
    close[WRONG] = np.round(close[WRONG] * 1.03, 2)
    write_folder(replace(world, close=close).market, place / "wrong")
    some = definitions(SEED, world, count=3)
    write_definitions(some, place)
    (place / "other").mkdir()
    write_definitions([{**some[0], "weighting": {"scheme": "price"}}], place / "other")
    study = {
        "version": 1,
        "id": "pair",
        "name": {"en": "Pair"},
        "start": world.days[40].item(),
        "pairs": [{"leader": "index-0", "follower": "index-1"}],
        "windows": {"correlation": [20], "momentum": [20], "zscore": 20, "beta": 20, "gap": 10},
        "bootstrap": {"replications": 99, "seed": 1},
    }
    write_definitions([study], place)
    read = read_market(place / "market")
    compare_study(study_named(str(place / "pair.yaml")), read)
    (place / KERNELS).write_bytes(pickle.dumps(_compiled()))


def small_world() -> World:
    """Return the world of the commands."""
    return drawn(SEED, FIRST, LAST, count=8, pauses=0.0)


def scenarios() -> tuple[Scenario, ...]:
    """Return what is disturbed: every command that writes, in the situations it can meet."""
    days = small_world().days

    def publish(first: int, last: int, *names: str, market: str = "market", **more: str) -> Words:
        named = names or ("index-0",)
        span = (f"--from={days[first]}", f"--to={days[last]}")
        given = tuple(f"--{key}={value}" if value else f"--{key}" for key, value in more.items())
        files = tuple(f"{{}}/{name}.yaml" for name in named)
        return ("publish", *files, f"--market={{}}/{market}", *span, *given)

    def restate(reason: str, *more: str) -> Words:
        told = (f"--reason={reason}", "--note=as found", "--by=R. Ito")
        return ("restate", "index-0", "--market={}/market", f"--from={days[31]}", *told, *more)

    three = ("index-0", "index-1", "index-2")
    held, month = publish(35, 39), publish(60, 79)
    wrong = publish(WRONG - 8, WRONG + 8, market="wrong")
    late = publish(WRONG - 1, WRONG, market="wrong")
    other, decided = "--basket={}/other/index-0.yaml", "--by=R. Ito"
    return (
        Scenario("first", (), publish(35, 35)),
        Scenario("next", (held,), publish(40, 40)),
        Scenario("again", (held,), held, 0),
        Scenario("week", (held,), publish(40, 44)),
        Scenario("overlap", (held,), publish(37, 46)),
        Scenario("backfill", (), publish(35, 184)),
        Scenario("earlier", (month,), publish(50, 55)),
        Scenario("between", (held, month), publish(45, 50)),
        Scenario("three", (), publish(35, 35, *three), 3),
        Scenario("three-weeks", (publish(35, 39, *three),), publish(40, 79, *three), 3),
        Scenario("study", (), publish(60, 61, "pair"), 3),
        Scenario("study-week", (publish(60, 61, "pair"),), publish(62, 66, "pair"), 3),
        Scenario("rebalance", (publish(70, 74),), publish(75, 84)),
        Scenario("restate", (wrong,), restate("bad-price")),
        Scenario("restate-all", (publish(35, 110),), restate("methodology", other)),
        Scenario("restate-basket", (month,), restate("methodology", other)),
        Scenario("correct", (late,), publish(WRONG + 1, WRONG + 1, correct="", by="R. Ito")),
        Scenario("approve", (held,), ("approve", "{}/index-0.yaml", "--market={}/market", decided)),
        Scenario("retire", (held,), ("retire", "index-0", "--reason=merged", decided)),
        Scenario("export", (month, ("remove", "out")), ("export",), 0),
        Scenario("export-over", (publish(35, 124, *three),), ("export",), 0),
        Scenario("files-lost", (month, ("remove", "out")), publish(80, 80)),
    )


if __name__ == "__main__":
    write_inputs(Path(sys.argv[1]))
