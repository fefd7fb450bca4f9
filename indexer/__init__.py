"""Custom thematic indices: levels, relative strength and catch-up signals with honest inference.

The public names are loaded when they are first used, so that ``import indexer`` is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.definitions.read import read_basket, read_study
    from indexer.index.build import build
    from indexer.kernels.rolling import (
        correlation_with,
        mean_pairwise_correlation,
        pairwise_correlation,
        rolling_correlation,
        rolling_rank_correlation,
    )
    from indexer.market.tables import read_market
    from indexer.run.results import study

    __version__: str

_HOME = {
    "build": "indexer.index.build",
    "correlation_with": "indexer.kernels.rolling",
    "mean_pairwise_correlation": "indexer.kernels.rolling",
    "pairwise_correlation": "indexer.kernels.rolling",
    "read_basket": "indexer.definitions.read",
    "read_market": "indexer.market.tables",
    "read_study": "indexer.definitions.read",
    "rolling_correlation": "indexer.kernels.rolling",
    "rolling_rank_correlation": "indexer.kernels.rolling",
    "study": "indexer.run.results",
}

__all__ = [
    "build",
    "correlation_with",
    "mean_pairwise_correlation",
    "pairwise_correlation",
    "read_basket",
    "read_market",
    "read_study",
    "rolling_correlation",
    "rolling_rank_correlation",
    "study",
]


if not TYPE_CHECKING:  # a checker that saw it would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            return import_module("importlib.metadata").version("indexer")
        if name not in _HOME:
            raise AttributeError(f"module 'indexer' has no attribute {name!r}")
        return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
