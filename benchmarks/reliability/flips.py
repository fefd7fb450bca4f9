"""Single flipped bits in ledger, published files and manifest: told, or harmless (B14)."""

import random
import shutil
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.reliability.observe import LEDGER, OUT, ledger_rows
from benchmarks.reliability.plain import candidate, day, publish
from benchmarks.reliability.record import Found
from indexer.cli.exits import exit_code
from indexer.errors import IndexerError
from indexer.ledger.database import open_ledger
from indexer.run.derived import export
from indexer.run.records import verified

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
DETECTED = 65


def flips(seed: int, count: int, memory: Path) -> Found:
    """Flip so many bits, one at a time, each anywhere in any file with the same probability."""
    began = time.perf_counter()
    rng = random.Random(seed)  # noqa: S311
    wrong: list[str] = []
    detected = 0
    with tempfile.TemporaryDirectory(dir=memory) as name:
        whole, place = Path(name) / "whole", Path(name) / "place"
        _write(whole)
        every = (path for path in sorted(whole.rglob("*")) if path.is_file())
        files = [path.relative_to(whole) for path in every if path.stat().st_size]
        sizes = [(whole / file).stat().st_size for file in files]
        rows = ledger_rows(whole / LEDGER)
        for _ in range(count):
            file = rng.choices(files, sizes)[0]
            bit = rng.randrange(8 * (whole / file).stat().st_size)
            shutil.copytree(whole, place)
            _flip(place / file, bit)
            found = _flaw(place, file, rows)
            detected += found == ""
            if found and found != "harmless":
                wrong.append(f"{file} bit {bit}: {found}")
            shutil.rmtree(place)
    return Found(count, tuple(wrong), time.perf_counter() - began, {"detected": detected})


def _write(folder: Path) -> None:
    """Publish a few days of two indices, and write their files."""
    folder.mkdir()
    engine = open_ledger(f"sqlite:///{folder / LEDGER}", create=True)
    for id in ("first", "second"):
        one = candidate(id, [1000.0 + n / 7 for n in range(12)])
        publish(engine, one, [day(n) for n in range(12)], NOW)
    export(engine, folder / OUT)
    engine.dispose()
    (folder / f"{LEDGER}.lock").unlink(missing_ok=True)


def _flip(file: Path, bit: int) -> None:
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


def _flaw(place: Path, file: Path, rows: object) -> str:
    """Return what is wrong with how a flip was met; empty where verify told of it."""
    try:
        verified(f"sqlite:///{place / LEDGER}", market=None, out=place / OUT, inputs=False)
    except IndexerError as error:
        code = exit_code([error])
        return "" if code == DETECTED else f"verify ends with {code}: {error}"
    except Exception as error:  # noqa: BLE001 (a bug in verify is what is looked for)
        return f"verify fails: {error!r}"
    if file.name != LEDGER:
        return "verify says nothing of a published file"
    return "harmless" if _same(place, rows) else "a value has changed and verify says nothing"


def _same(place: Path, rows: object) -> bool:
    try:
        return ledger_rows(place / LEDGER) == rows
    except sqlite3.Error:
        return False
