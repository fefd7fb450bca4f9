"""What a database driver raises, as what a caller can decide on."""

import os
import re
from pathlib import Path

import sqlalchemy as sa

from indexer.errors import (
    Flaw,
    IndexerError,
    LedgerError,
    MissingInputError,
    OutputError,
    Refusal,
    TryAgainError,
)
from indexer.ledger.cells import damage
from indexer.ledger.tables import NEVER

_NO_DATABASE = (  # what SQLite says of a file that is damaged
    "malformed",
    "not a database",
    "unsupported file format",
    "no such table",
    "no such column",
    "corrupt",
    "already exists",  # where tables are to be made: somebody else's, or the version is wrong
    "Could not decode",
)
_GONE = ("42P01", "42703")  # what PostgreSQL says of a table or column that is not there
_NOT_ALLOWED = ("unable to open", "readonly")  # what SQLite says where it may not write
# What is said of a server that is there and will not have it, or of a name that nobody knows. By
# its text: a connection that fails has no number. In another language it is to be tried again.
_NOT_FOUND = re.compile(
    '(?:database|role) ".*" does not exist'
    "|(?:resolve host|translate host name) .*(?:not known|[Nn]o address)"
    "|password authentication failed|no password supplied|no pg_hba.conf entry"
    "|permission denied for"
)


def fault(error: Exception, name: str, file: Path | None) -> IndexerError:
    """Return what a caller is told of an error that a driver, or the system below it, has raised.

    Parameters
    ----------
    name : the ledger, without anything secret
    file : where SQLite keeps it; None in memory and on a server
    """
    if isinstance(error, UnicodeDecodeError):  # what was to be said of damage was damaged as well
        return damage(error.object.decode(errors="backslashreplace"), name)
    if isinstance(error, sa.exc.DBAPIError):
        return _of_driver(error, name, file)
    barred = _barred(file) if isinstance(error, PermissionError) else None
    return barred or TryAgainError(name, getattr(error, "strerror", None) or str(error))


def _of_driver(error: sa.exc.DBAPIError, name: str, file: Path | None) -> IndexerError:
    reason = " ".join(str(error.orig).split()) or type(error.orig).__name__
    if NEVER in reason or isinstance(error, sa.exc.IntegrityError):
        return LedgerError([Refusal(name, "", "", reason)])
    gone = getattr(error.orig, "sqlstate", None) in _GONE
    if gone or any(word in reason for word in _NO_DATABASE):
        return damage(reason, name)
    if _NOT_FOUND.search(reason):
        remedy = "mend the URL, or set the server up for it"
        return MissingInputError([Flaw(name, None, "", f"{reason}: {remedy}")])
    barred = _barred(file) if any(word in reason for word in _NOT_ALLOWED) else None
    return barred or TryAgainError(name, reason)


def _barred(file: Path | None) -> IndexerError | None:
    """Return what is said where SQLite may not read or write: trying again would not help."""
    file = None if file is None else file.resolve()  # where the lock and the journal are
    if file is not None and os.path.exists(file) and not os.access(file, os.R_OK):
        return MissingInputError([Flaw(str(file), None, "", "cannot be read: it is not allowed")])
    for path in [] if file is None else [file, file.parent]:
        if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):
            message = "it is not allowed; the ledger needs its file, and a journal and lock beside"
            return OutputError(str(path), message)
    return None
