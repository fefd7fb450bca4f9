"""Everything the package raises on purpose, one class per decision a caller can take.

IndexerError
├── UsageError        what was asked for is nothing that can be asked for
├── DefinitionError   a basket or study definition is wrong
├── MarketDataError   market data are wrong
│   └── MissingInputError   a folder, table, file, date or rate that is needed is absent
├── SourceError       a source of market data cannot be reached or cannot be believed
├── LedgerError       a publication is refused, or the ledger is not what was written to it
├── TryAgainError     the same command may succeed later: data to come, a lock, a full disk
├── OutputError       results cannot be written
└── BugError          a mistake in this package, kept from what else was asked for
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass


def few(names: Sequence[str], most: int) -> str:
    """Return names for a message: the first few, and how many more there are.

    Examples
    --------
    >>> few(["a", "b", "c"], 3), few(["a", "b", "c"], 1)
    ('a, b, c', 'a and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def counted(count: int, thing: str) -> str:
    """Return a count of things, whose name is given in the singular.

    Examples
    --------
    >>> counted(1, "session"), counted(3, "session")
    ('1 session', '3 sessions')
    """
    return f"{count} {thing}{'' if count == 1 else 's'}"


def short(value: object) -> str:
    """Return a value as it is quoted in a message.

    Examples
    --------
    >>> short("CNY"), short("x" * 100)[-24:]
    ("'CNY'", 'xxxxxx… (102 characters)')
    """
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def separated(header: Sequence[str]) -> str:
    """Return what is wrong with a CSV header that commas do not separate; empty where they do.

    Examples
    --------
    >>> separated(["symbol;date"])
    'cells are separated by semicolons: separate them by commas, and decimals by a point'
    """
    for character, name in _SEPARATORS.items():
        if len(header) == 1 and character in header[0]:
            return (
                f"cells are separated by {name}: separate them by commas, and decimals by a point"
            )
    return ""


_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class IndexerError(Exception):
    """Base of every error a caller may want to catch."""

    def __reduce__(self) -> tuple[object, ...]:
        """Return what makes the same error in another process: its text as it is, and its facts."""
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[IndexerError], args: tuple[object, ...]) -> IndexerError:
    return kind.__new__(kind, *args)


class UsageError(IndexerError):
    """What was asked for is nothing that can be asked for: the command itself has to change."""

    def __init__(self, subject: str, reason: str) -> None:
        self.subject = subject
        self.reason = reason
        super().__init__(f"{subject}: {reason}")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a definition file, and where.

    Attributes
    ----------
    file : the path as the caller gave it
    line, column : position in the file, counted from one
    path : the key inside the definition, such as ``constituents[3].symbol``
    message : what was received, the bound it breaks and what to do
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class DefinitionError(IndexerError):
    """A definition breaks one or more rules; every problem is reported at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong in a market table, and where.

    Attributes
    ----------
    table : file name inside the market folder, or the path of a file that is missing
    row : line of a CSV file (its header is line 1), or row of a Parquet file counted from one;
        None for the whole table
    symbol : whose row it is, empty where there is none
    message : what was received, the bound it breaks and what to do
    """

    table: str
    row: int | None
    symbol: str
    message: str

    def __str__(self) -> str:
        unit = "line" if self.table.endswith(".csv") else "row"
        where = self.table if self.row is None else f"{self.table} {unit} {self.row}"
        return (
            f"{where}: {self.symbol}: {self.message}" if self.symbol else f"{where}: {self.message}"
        )


class MarketDataError(IndexerError):
    """Market data are wrong; every flaw found is reported at once."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(map(str, self.flaws)))


class MissingInputError(MarketDataError):
    """Something a calculation needs is absent: a folder, a table, a file, a date, a rate."""


class SourceError(IndexerError):
    """A source of market data cannot be reached, or refuses to answer."""

    def __init__(self, source: str, asked: str, reason: str) -> None:
        self.source = source
        self.asked = asked
        self.reason = reason
        super().__init__(f"{source}: {asked}: {reason}")


def not_installed(module: str, extra: str) -> MissingInputError:
    """Return what is said where something optional is asked for that is not installed.

    Examples
    --------
    >>> print(not_installed("distributed", "dist"))
    distributed: is not installed: in the checkout, pip install '.[dist]'
    """
    message = f"is not installed: in the checkout, pip install '.[{extra}]'"
    return MissingInputError([Flaw(module, None, "", message)])


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """Why one session of one index is not published.

    Attributes
    ----------
    subject : id of the index or study
    session : ISO date, empty where it is not about one
    rule : the gate that is shut, such as ``R14``, or what else stands in the way
    message : the evidence, the bound it breaks and what to do
    """

    subject: str
    session: str
    rule: str
    message: str

    def __str__(self) -> str:
        where = " ".join(part for part in (self.subject, self.session) if part)
        return f"{where}: {self.rule}: {self.message}" if self.rule else f"{where}: {self.message}"


class LedgerError(IndexerError):
    """A publication is refused, or the ledger is not what was written to it."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("\n".join(map(str, self.refusals)))


class TryAgainError(IndexerError):
    """Nothing is wrong with the request, but it cannot be answered now."""

    def __init__(self, subject: str, reason: str) -> None:
        self.subject = subject
        self.reason = reason
        super().__init__(f"{subject}: {reason}: try again later")


class OutputError(IndexerError):
    """Results cannot be written where they were asked for; nothing was left behind."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: cannot be written: {reason}")


class BugError(IndexerError):
    """No data and no definition explain it: a mistake in this package.

    Raised where other subjects go on without the one that met it. The text ends with the traceback.
    """

    def __init__(self, subject: str, error: BaseException) -> None:
        self.subject = subject
        said = traceback.format_exception_only(error)[-1].strip()
        told = f"{subject}: {said}: this is a bug in indexer: please report it with what follows"
        super().__init__("\n".join([told, *map(str.rstrip, traceback.format_exception(error))]))


def explained(subject: str, error: BaseException) -> IndexerError:
    """Return an error of this package as it is, and any other as the bug of a subject it is."""
    return error if isinstance(error, IndexerError) else BugError(subject, error)
