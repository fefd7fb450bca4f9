"""Long columns of numbers as short text: differences, in units of the last digit that is printed.

A chart of a decade has some 2,500 values a line, and a study some two hundred lines: as decimal
numbers they would be most of a page. Each difference is written as in Google's encoded polylines:
its sign in the lowest bit, five bits a character, the low ones first, 32 added where more follow,
63 added to make them printable. A value that is not there is an exclamation mark.
"""

from collections.abc import Iterable
from functools import lru_cache

_BITS = 5
_MORE = 1 << _BITS
_FIRST = 63  # code of the character that says zero
_NONE = "!"


def coded(values: Iterable[float | None], digits: int = 0) -> str:
    """Return values as the text of their differences; what is read back is what was rounded.

    Parameters
    ----------
    values : rounded to ``digits`` after the decimal point; None where there is none

    Examples
    --------
    >>> coded([None, 0.01, 0.02, 0.0], 2)
    '!AAB'
    """
    found, last = [], 0
    for value in values:
        if value is None:
            found.append(_NONE)
        else:
            units = round(value * 10**digits)
            found.append(_difference(units - last))
            last = units
    return "".join(found)


@lru_cache(maxsize=4096)
def _difference(units: int) -> str:
    left = ~(units << 1) if units < 0 else units << 1
    found = ""
    while left >= _MORE:
        found += chr((left & _MORE - 1 | _MORE) + _FIRST)
        left >>= _BITS
    return found + chr(left + _FIRST)
