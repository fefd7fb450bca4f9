"""Symbols: one canonical spelling, the other spellings people use, and what a suffix says.

Canonical is ``<code>.<suffix>``: six digits with ``SH``, ``SZ`` or ``BJ``, five with ``HK``, and
``[A-Z][A-Z0-9.-]*`` with ``US``. A ready-made series takes the same suffixes with any code of
capital letters and digits (``HSTECH.HK``, ``399006.SZ``).
"""

import re
from typing import NamedTuple

# Also read by polars. Not \d, which in both takes the digits of every script.
CANONICAL = r"^(?:[0-9]{6}\.(?:SH|SZ|BJ)|[0-9]{5}\.HK|[A-Z][A-Z0-9.-]*\.US)$"
CANONICAL_SERIES = r"^(?:[A-Z0-9]+\.(?:SH|SZ|BJ|HK)|[A-Z0-9][A-Z0-9.-]*\.US)$"

# What people call a currency, by the code that ISO 4217 has for it.
NO_CURRENCIES = {"RMB": "CNY", "CNH": "CNY"}

# What people call an exchange, by the code of the calendar that has its sessions.
CALENDARS = {
    **dict.fromkeys(("SSE", "SHSE", "SHANGHAI", "SZSE", "SHENZHEN"), "XSHG"),
    **dict.fromkeys(("HKEX", "SEHK", "HKSE", "HONG KONG"), "XHKG"),
    **dict.fromkeys(("NYSE", "NASDAQ", "AMEX", "NEW YORK"), "XNYS"),
}

_SECURITY = re.compile(CANONICAL)
_SERIES = re.compile(CANONICAL_SERIES)
# ISO 10383 codes and the names data vendors give to the same exchanges.
_SUFFIX = {
    **dict.fromkeys(("SH", "SS", "XSHG", "SHSE"), "SH"),
    **dict.fromkeys(("SZ", "XSHE", "SZSE"), "SZ"),
    **dict.fromkeys(("BJ", "BJSE", "XBEI"), "BJ"),
    **dict.fromkeys(("HK", "HI", "XHKG"), "HK"),
    **dict.fromkeys(("US", "XNYS", "XNAS"), "US"),
}
_PREFIXED = re.compile(r"(SH|SZ|BJ|HK)(\d+)|GB_([A-Z][A-Z0-9.-]*)")
_BOARDS = (
    ("92", "BJ"),
    ("6", "SH"),
    ("0", "SZ"),
    ("2", "SZ"),
    ("3", "SZ"),
    ("4", "BJ"),
    ("8", "BJ"),
)


class _Exchange(NamedTuple):
    code: str
    currency: str
    country: str


MAINLAND = ("SH", "SZ", "BJ")  # Shenzhen and Beijing keep the sessions of Shanghai
_EXCHANGES = {
    **dict.fromkeys(MAINLAND, _Exchange("XSHG", "CNY", "CN")),
    "HK": _Exchange("XHKG", "HKD", "HK"),
    "US": _Exchange("XNYS", "USD", "US"),
}


def parse_symbol(text: str, *, series: bool = False) -> str:
    """Return the canonical spelling of a security's symbol, or of a series' one.

    Raises
    ------
    ValueError
        If the text is no known spelling, or could mean two things; the message says what to write.

    Examples
    --------
    >>> [parse_symbol(s) for s in ("sh688981", "688981.SS", "SHSE.688981", "002371", "700.HK")]
    ['688981.SH', '688981.SH', '688981.SH', '002371.SZ', '00700.HK']
    >>> parse_symbol("000001")
    Traceback (most recent call last):
    ValueError: '000001' is a share in Shenzhen or an index in Shanghai: write 000001.SZ or ...
    """
    name = text.strip()
    if not name.isascii():  # upper() would make "SS" of "ß"
        raise ValueError(f"{text!r} is not a symbol: it holds a character outside ASCII")
    code, suffix = _split(name.upper(), text)
    if suffix == "HK" and code.isdecimal():
        code = code.zfill(5)
    symbol = f"{code}.{suffix}"
    if (_SERIES if series else _SECURITY).match(symbol):
        return symbol
    if _SERIES.match(symbol):
        raise ValueError(f"{text!r} is not a security: expected {_expected(suffix)}")
    raise ValueError(f"{text!r} is not a symbol: expected {_expected(suffix)}")


def split_symbol(symbol: str) -> tuple[str, str]:
    """Return code and suffix of a canonical symbol.

    Examples
    --------
    >>> split_symbol("BRK.B.US")
    ('BRK.B', 'US')
    """
    code, _, suffix = symbol.rpartition(".")
    return code, suffix


def board_of(code: str) -> str | None:
    """Return the suffix of a share's six-digit code; None where it names no board."""
    return next((suffix for start, suffix in _BOARDS if code.startswith(start)), None)


def exchange_of(symbol: str) -> str:
    """Return the code of the calendar a canonical symbol, or all of a suffix, trades on.

    Raises
    ------
    ValueError
        If the symbol has none of the suffixes.

    Examples
    --------
    >>> [exchange_of(symbol) for symbol in ("002371.SZ", "HK", "NVDA.US")]
    ['XSHG', 'XHKG', 'XNYS']
    """
    return _exchange(symbol).code


def currency_of(symbol: str) -> str:
    """Return the currency of a symbol's prices, where no table names another; raises likewise."""
    return _exchange(symbol).currency


def country_of(symbol: str) -> str:
    """Return the country of a symbol, where no table names another; raises likewise."""
    return _exchange(symbol).country


def suffixes_of(code: str) -> list[str]:
    """Return the suffixes of the symbols that trade on a calendar.

    Examples
    --------
    >>> suffixes_of("XSHG")
    ['SH', 'SZ', 'BJ']
    """
    return [suffix for suffix, exchange in _EXCHANGES.items() if exchange.code == code]


def _exchange(symbol: str) -> _Exchange:
    _, suffix = split_symbol(symbol)
    if suffix not in _EXCHANGES:
        raise ValueError(f"{symbol!r} names no exchange: expected one of .{', .'.join(_EXCHANGES)}")
    return _EXCHANGES[suffix]


def _split(name: str, text: str) -> tuple[str, str]:
    """Return code and canonical suffix of an upper-case spelling."""
    head, _, tail = name.rpartition(".")
    if head and tail in _SUFFIX:
        return head, _SUFFIX[tail]
    first, _, rest = name.partition(".")
    if rest and first in _SUFFIX:
        return rest, _SUFFIX[first]
    if found := _PREFIXED.fullmatch(name):
        exchange, digits, american = found.groups()
        return (digits, exchange) if exchange else (american, "US")
    if re.fullmatch(r"\d{6}", name):
        return name, _board(name)
    raise ValueError(f"{text!r} is not a symbol: write it like 300308.SZ, 00700.HK or NVDA.US")


def _board(code: str) -> str:
    """Return the suffix of a bare six-digit code, where only one reading exists."""
    if code.startswith("000"):
        raise ValueError(
            f"{code!r} is a share in Shenzhen or an index in Shanghai: write {code}.SZ or {code}.SH"
        )
    if suffix := board_of(code):
        return suffix
    told = f"write it with its exchange, {code}.SH, {code}.SZ or {code}.BJ"
    raise ValueError(f"{code!r} names no board of a share: {told}")


def _expected(suffix: str) -> str:
    """Return in words what a symbol with this suffix looks like."""
    if suffix == "HK":
        return "at most five digits before .HK, as in 00700.HK"
    if suffix == "US":
        return (
            "a capital letter first and then letters, digits, '.' or '-' before .US, as in NVDA.US"
        )
    return f"six digits before .{suffix}"
