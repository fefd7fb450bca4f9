"""Errors arrive in another process as they were raised."""

import pickle

import pytest

from indexer.errors import (
    BugError,
    DefinitionError,
    Flaw,
    IndexerError,
    LedgerError,
    MarketDataError,
    MissingInputError,
    OutputError,
    Problem,
    Refusal,
    SourceError,
    TryAgainError,
    UsageError,
)
from indexer.ledger.database import NoLedgerError

FLAWS = [Flaw("prices.csv", 3, "600000.SH", "close is empty"), Flaw("fx", None, "", "no rate")]
ERRORS = [
    IndexerError("a text"),
    UsageError("ledger", "is no URL"),
    DefinitionError([Problem("a.yaml", 1, 2, "base", "is missing")]),
    MarketDataError(FLAWS),
    MissingInputError(FLAWS),
    NoLedgerError(FLAWS),
    SourceError("sina", "bars of 600000.SH", "status 403"),
    LedgerError([Refusal("trio", "2026-03-02", "R14", "stale")]),
    TryAgainError("trio", "another run is at it"),
    OutputError("out", "disk full"),
    BugError("trio", ValueError("x")),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_an_error_is_the_same_after_a_way_through_pickle(error):
    found = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)

    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
