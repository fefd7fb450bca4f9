"""Markets and indices computed once for many runs: pure results, kept as files beside the inputs.

What is tried is how they are published; computing them again in each of ten thousand runs, which
changes no file, took three quarters of the time.
"""

import hashlib
import os
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from indexer.definitions.basket import Index
from indexer.definitions.study import Study
from indexer.market.tables import Market


def keep(folder: Path) -> None:
    """Let the use cases of this process take markets, indices and studies from a folder."""
    from indexer.index.build import build
    from indexer.market.tables import read_market
    from indexer.run import decisions, publish, restate
    from indexer.run.results import study

    folder.mkdir(exist_ok=True)

    def reading(path: Path) -> Market:
        found: Market = _kept(folder, f"market {path}", lambda: read_market(path))
        return found

    def building(index: Index, market: Market, *, until: date | None = None, **more: Any) -> Any:
        name = f"index {index.digest} {market.folder} {until} {more}"
        return _kept(folder, name, lambda: build(index, market, until=until, **more))

    def studying(one: Study, market: Market, *, until: date | None = None, **more: Any) -> Any:
        name = f"study {one.digest} {market.folder} {until} {more}"
        return _kept(folder, name, lambda: study(one, market, until=until, **more))

    for module in (publish, restate, decisions):
        for name, function in (
            ("read_market", reading),
            ("build", building),
            ("compare_study", studying),
        ):
            if hasattr(module, name):
                setattr(module, name, function)


def _kept(folder: Path, name: str, compute: Callable[[], Any]) -> Any:
    place = folder / hashlib.sha256(name.encode()).hexdigest()[:32]
    try:
        return pickle.loads(place.read_bytes())  # noqa: S301 (written below)
    except FileNotFoundError:
        found = compute()
    half = place.with_name(f"{place.name}.{os.getpid()}")
    half.write_bytes(pickle.dumps(found))
    half.replace(place)
    return found
