"""What is said in both languages: text of warnings and of pages, joined and counted."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from indexer.errors import counted


class Text(NamedTuple):
    """What is said, in English and in Chinese; plain text, escaped only where it is shown."""

    en: str
    zh: str


def same(text: str) -> Text:
    """Return text that is the same in both languages: names, numbers, dates."""
    return Text(text, text)


def joined(parts: Iterable[Text], en: str = " ", zh: str = "") -> Text:
    """Return parts one after the other, with what stands between them."""
    told = list(parts)
    return Text(en.join(part.en for part in told), zh.join(part.zh for part in told))


def listed(parts: Sequence[Text]) -> Text:
    """Return parts as a sentence lists them.

    Examples
    --------
    >>> listed([same("a"), same("b"), same("c")])
    Text(en='a, b and c', zh='a、b、c')
    """
    first = joined(parts[:-1], ", ", "、")
    return joined([first, parts[-1]], " and ", "、") if first.en else parts[-1]


def many(count: int, en: str, zh: str) -> Text:
    """Return a count of things; ``en`` is the singular.

    Examples
    --------
    >>> many(1, "session", "个交易日").en, many(3, "session", "个交易日").zh
    ('1 session', '3个交易日')
    """
    return Text(counted(count, en), f"{count}{zh}")


def span(days: Sequence[str]) -> Text:
    """Return from which day to which some days reach.

    Examples
    --------
    >>> span(["2026-03-04", "2026-03-06"]).en, span(["2026-03-04"]).en
    ('2026-03-04 to 2026-03-06', '2026-03-04')
    """
    ends = list(dict.fromkeys((days[0], days[-1])))
    return joined(map(same, ends), " to ", "至")


VARIANTS = {
    "price": Text("price", "价格"),
    "gross": Text("gross total return", "全收益"),
    "net": Text("net total return", "净收益"),
}
