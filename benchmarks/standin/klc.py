"""The compact text Sina serves daily bars and trading days in: what akshare's decoder reads back.

A stream of bits, least significant first, six to a character of the Base64 alphabet.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from benchmarks.standin.market import Bar

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_EPOCH = date(1990, 12, 19).toordinal()  # day 0 of the format
_BARS, _DAYS = 3466, 139  # what the first twelve bits choose between
# Widths in units of three bits, and what the decoder takes them for unless told.
_WIDTHS = {"open": (10, 3), "high": (10, 3), "low": (10, 3), "close": (10, 3)}
_WIDTHS |= {"volume": (14, 5), "amount": (16, 5)}
_SIGNED = {"open", "close", "volume", "amount"}
_MILLI = 1000  # prices to three decimals


class _Bits:
    def __init__(self, mode: int) -> None:
        self._bits: list[int] = []
        self.number(mode, 12)
        self.number(63, 6)  # version 0, stored inverted

    def put(self, *bits: int) -> None:
        self._bits += bits

    def number(self, value: int, width: int) -> None:
        self._bits += [value >> place & 1 for place in range(width)]  # two's complement below zero

    def step(self, by: int) -> None:
        """Write a change other than zero: its sign, then its size in ones."""
        self.put(int(by > 0), *[1] * (abs(by) - 1), 0)

    def text(self) -> str:
        bits = self._bits + [0] * (-len(self._bits) % 6)
        sixes = (bits[at : at + 6] for at in range(0, len(bits), 6))
        return "".join(_ALPHABET[sum(bit << k for k, bit in enumerate(six))] for six in sixes)


def encode_bars(bars: Sequence[Bar]) -> str:
    """Return bars as text; prices to three decimals, volume and amount whole."""
    bits = _Bits(_BARS)
    before = volume = amount = 0
    for n, bar in enumerate(bars):
        day = bar.day.toordinal() - _EPOCH
        if n == 0:
            _settings(bits)
        else:
            bits.put(1, 0, 1, 1, 1)  # of all that may change here: the date
        bits.number(1, 3)  # the date itself, not a distance
        bits.number(day, 18)
        if n == 0:
            bits.put(0)  # no previous close
        open_, high, low, close = (round(p * _MILLI) for p in bar[1:5])
        cells = {
            "open": open_ - before,
            "high": high - open_,
            "low": open_ - low,
            "close": close - open_,
            "volume": round(bar.volume) - volume,
            "amount": round(bar.amount) - amount,
        }
        for name, value in cells.items():
            width = 3 * _WIDTHS[name][0]
            bound = 1 << (width - (name in _SIGNED))
            if not (-bound if name in _SIGNED else 0) <= value < bound:
                raise ValueError(f"{bar.day}: {name} {value} does not fit the format")
            bits.number(value, width)
        before, volume, amount = close, round(bar.volume), round(bar.amount)
    bits.put(1, 1, 0, 0, 0)  # nothing changes: the end
    return bits.text()


def _settings(bits: _Bits) -> None:
    """Write what holds from the first bar on: amounts as such, three decimals, the widths."""
    bits.put(1, 1, 1, 1)
    bits.put(1, 0, 0, 0, 0)  # amounts are not distances from volume times price
    bits.put(1)
    bits.step(3)  # from two decimals to three
    bits.put(0, 0, 1)
    for width, assumed in _WIDTHS.values():
        bits.put(1)
        bits.step(width - assumed)
    bits.put(1)


def encode_days(days: Iterable[date]) -> str:
    """Return trading days, ascending and all of them weekdays, as text."""
    open_on = set(days)
    first, last = min(open_on), max(open_on)
    bits = _Bits(_DAYS)
    bits.number(first.toordinal() - _EPOCH, 18)
    bits.number(last.toordinal() - _EPOCH, 18)
    weekdays = (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))
    runs = [0]  # days in a row; between two runs one weekday is left out
    for day in weekdays:
        if day.weekday() < 5:
            if day in open_on:
                runs[-1] += 1
            else:
                runs.append(0)
    width = 0
    for run in runs:
        needed = 5 if width == 0 else width
        bits.put(int(needed != width))
        if needed != width:
            bits.step(needed - width)
            width = needed
        bits.number(run, 3 * width)
    return bits.text()
