"""Exit codes: BSD sysexits, so that a scheduler can tell what happened."""

from collections.abc import Iterable

from indexer.errors import (
    BugError,
    DefinitionError,
    IndexerError,
    LedgerError,
    MarketDataError,
    MissingInputError,
    OutputError,
    SourceError,
    TryAgainError,
    UsageError,
)

# The first class that fits counts; of several errors the one that stands first here.
EXIT_CODES: dict[type[IndexerError], int] = {
    BugError: 70,
    UsageError: 2,
    DefinitionError: 78,
    MissingInputError: 66,
    MarketDataError: 65,
    LedgerError: 65,
    SourceError: 69,
    OutputError: 73,
    TryAgainError: 75,
}

INTERRUPTED = 130  # by whoever runs it, or as the machine is shut down


def exit_code(errors: Iterable[IndexerError]) -> int:
    """Return the exit code of what went wrong; 0 where nothing did."""
    found = list(errors)
    return next(
        (code for kind, code in EXIT_CODES.items() if any(isinstance(e, kind) for e in found)), 0
    )
