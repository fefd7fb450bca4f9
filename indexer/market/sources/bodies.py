"""What a reply must look like before akshare may read it.

akshare looks at no status, trusts positions, turns what is no number into "missing" and runs some
replies as code. So the bytes are judged first: here it is decided which way an answer is no
answer, and that what passes is plain data about what was asked.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from indexer.market.sources.plain import (
    TEXT,
    NoRecords,
    Refused,
    object_of,
    parsed,
    refuse_cells,
    refuse_day,
    refuse_figures,
    refuse_page,
    refuse_unkeyed,
    text_of,
)
from indexer.market.sources.verdict import Outcome

# From the address and the body to the encoding the text is in: akshare is to read what was judged,
# whatever a header calls it. Raises `Refused`.
Check = Callable[[str, bytes], str]
Texts = Sequence[str]
Own = tuple[str, str]

_KLC = re.compile(r'\s*var\s+(\w+)\s*=\s*"([A-Za-z0-9+/]*)"\s*;?\s*')
_CUT = re.compile(r'\s*var\s+\w+\s*=\s*"[A-Za-z0-9+/]*')
_AMOUNTS = re.compile(
    r"(?:/\*[^*]*\*/)?\s*(?:var\s+)?\w+\s*=\s*\(?\["
    r'(?:\{date:"[0-9-]+",amount:"[0-9.]+"\},?)*\]\)?;?\s*'
)
_FACTORS = re.compile(r"[\w\s{}\[\]\":,.+-]*")  # no call, no attribute of anything
_EXCEL = (b"\xd0\xcf\x11\xe0", b"\x09\x00\x04\x00", b"PK\x03\x04")
_REFUSING = {401, 403, 407, 418, 429, 451, 456}


def judge_status(status: int) -> None:
    """Raise `Refused` unless the status is 200: akshare reads whatever comes with it."""
    if status in _REFUSING or 300 <= status < 400:
        raise Refused("blocked", f"status {status}")
    if status == 404:
        raise Refused("no_data_unexplained", "status 404")
    if status != 200:
        raise Refused("transient", f"status {status}")


def html(*wanted: str, encoding: str = TEXT) -> Check:
    """Accept a page that holds one of some texts: any other page stands in the way of it."""

    def check(_: str, body: bytes) -> str:
        text = body.decode(encoding, errors="replace")
        if text.count("<table") > text.count("</table"):
            raise Refused("transient", "a page that ends within a table")
        if not any(word in text for word in wanted):
            raise Refused("blocked", f"a page without {' or '.join(wanted)}")
        return encoding

    return check


def rates(url: str, body: bytes) -> str:
    """Raise `Refused` unless this is Sina's table of rates, or its list of currencies."""
    encoding = html("money_code", "<table", encoding="gbk")(url, body)
    if "call_type=ajax" in url and b"<td" not in body:
        raise Refused("no_data_unexplained", "a table without rows")
    return encoding


def excel(_: str, body: bytes) -> str:
    """Raise `Refused` unless this is a workbook."""
    refuse_page(body)
    if not body.startswith(_EXCEL):
        raise Refused("corrupt", "not a workbook")
    return TEXT


def klc(code: str) -> Check:
    """Accept compact bars named after a code: nothing but one text, so nothing that runs."""

    def check(_: str, body: bytes) -> str:
        text = text_of(body)
        found = _KLC.fullmatch(text)
        if found is None and _CUT.fullmatch(text):
            raise Refused("transient", "a text that does not end")
        if found is None:
            raise Refused("corrupt", "not one quoted text: it is not handed to a script engine")
        name, data = found.groups()
        if name.startswith("KLC_KL_") and name.removeprefix("KLC_KL_").lower() != code.lower():
            raise Refused("corrupt", f"bars of {name}, not of {code}")
        if not data:
            raise Refused("no_data_unexplained", "no bars")
        return TEXT

    return check


def amounts(_: str, body: bytes) -> str:
    """Raise `Refused` unless this is Sina's list of dated share counts."""
    if not _AMOUNTS.fullmatch(text_of(body)):
        raise Refused("corrupt", "not a list of dates and amounts")
    return TEXT


def factors(_: str, body: bytes) -> str:
    """Raise `Refused` unless the factors are JSON: akshare evaluates what stands after the sign."""
    text = text_of(body)
    data = text.partition("=")[2].partition("\n")[0]
    if "=" in data or not _FACTORS.fullmatch(data):
        raise Refused("corrupt", "adjustment factors that are no plain data")
    rows = parsed(data)
    if not isinstance(rows, dict) or not isinstance(rows.get("data"), list):
        raise Refused("corrupt", "adjustment factors without data")
    return TEXT


def kline(code: str, markets: Iterable[int], fields: int) -> Check:
    """Accept Eastmoney's bars of a code, each with its fields and figures in all of them."""
    allowed = set(markets)

    def check(_: str, body: bytes) -> str:
        data = object_of(body).get("data")
        if data is None:
            raise Refused("no_data_unexplained", "data is null")
        if data.get("code") != code or data.get("market") not in allowed:
            raise Refused("corrupt", f"bars of {data.get('market')}.{data.get('code')}, not {code}")
        lines = data.get("klines")
        if not lines:
            raise Refused("no_data_unexplained", "no bars")
        for row in (line.split(",") for line in lines):
            if len(row) != fields:
                raise Refused("corrupt", f"{len(row)} fields instead of {fields}: {','.join(row)}")
            refuse_day(row[0])
            refuse_figures(row[1:7], prices=4)
        return TEXT

    return check


def tencent(symbol: str, until: date, seen: list[int]) -> Check:
    """Accept Tencent's bars of a symbol with its prefix, raw ones, that begin before a date.

    How many are in each reply is added to what was ``seen``.
    """

    def check(url: str, body: bytes) -> str:
        text = text_of(body)
        data = parsed(text[text.find("={") + 1 :])
        rows = data.get("data") if isinstance(data, dict) else None
        if "weekTrends" in url:
            if not rows:
                raise Refused("no_data_unexplained", "no first week")
            if not isinstance(rows, list) or not isinstance(rows[0], list) or not rows[0]:
                raise Refused("corrupt", "a first week that is no list")
            refuse_day(rows[0][0])
            if date.fromisoformat(rows[0][0]) > until + timedelta(days=7):
                raise Refused("no_data_unexplained", f"the first week is that of {rows[0][0]}")
            return TEXT
        if not isinstance(rows, dict) or not isinstance(rows.get(symbol), dict):
            raise Refused("corrupt", f"no data of {symbol}")
        if "day" not in rows[symbol]:
            adjusted = [key for key in rows[symbol] if key.endswith("day")]
            kind: Outcome = "corrupt" if adjusted else "no_data_unexplained"
            raise Refused(kind, f"{' and '.join(adjusted) or 'nothing'} instead of raw bars")
        seen.append(len(rows[symbol]["day"]))
        for row in rows[symbol]["day"]:
            if len(row) < 9 or len(row) > 11:
                raise Refused("corrupt", f"{len(row)} cells in a bar instead of 9 to 11")
            refuse_day(row[0])
            refuse_figures([*row[1:6], row[8]], prices=4)
        return TEXT

    return check


def records(*needed: str, days: Texts = (), figures: Texts = ()) -> Check:
    """Accept cninfo's records with some keys, and with dates and figures, or nothing, in some."""

    def check(_: str, body: bytes) -> str:
        found = object_of(body)
        if found.get("resultcode") != 200:
            raise Refused("transient", f"resultcode {found.get('resultcode')!r}")
        rows = found.get("records")
        if not isinstance(rows, list):
            raise Refused("corrupt", "records that are no list")
        _Pages().add(1, len(rows), found.get("total", len(rows)), 1)
        if not rows:
            raise NoRecords("no_data_unexplained", "no records")
        refuse_cells(rows, needed, days, figures)
        return TEXT

    return check


class _Pages:
    """How many rows each page of one answer holds, beside how many there are told to be."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}
        self._told: set[tuple[Any, Any]] = set()

    def add(self, page: int, rows: int, count: Any, pages: Any) -> None:
        """Raise `Refused` where one page tells otherwise than another, or all hold less or more."""
        self.held[page] = rows
        self._told.add((count, pages))
        if len(self._told) > 1 or not (isinstance(count, int) and isinstance(pages, int)):
            reason = f"page {page} counts {count} rows on {pages} pages: not as one answer would"
            raise Refused("corrupt", reason)
        held = sum(self.held.values())
        if page >= pages and held != count:
            raise Refused("corrupt", f"{held} rows on all pages, and it counts {count}")


def _page(url: str, key: str) -> int:
    found = re.search(rf"[?&]{key}=([0-9]+)", url)
    return int(found[1]) if found else 1


def datacenter(
    *needed: str,
    days: Texts = (),
    figures: Texts = (),
    keys: int = 0,
    own: Own | None = None,
    paged: bool = True,
) -> Check:
    """Accept Eastmoney's rows as `records`, with a number of keys, and a key that says whose.

    The rows are all that it counts; where akshare is not ``paged``, all stand on the first page.
    """
    pages = _Pages()

    def check(url: str, body: bytes) -> str:
        found = object_of(body)
        result = found.get("result")
        if result is None and found.get("code") != 9201:
            raise Refused("transient", f"code {found.get('code')!r}: {found.get('message')}")
        told = result or {}
        rows = told.get("data") or []
        if result is not None or pages.held:
            last = told.get("pages") if paged else 1
            pages.add(_page(url, "pageNumber"), len(rows), told.get("count"), last)
        if not rows:
            raise Refused("no_data_unexplained", "no rows")
        refuse_cells(rows, needed, days, figures)
        if keys and {len(row) for row in rows} != {keys}:
            raise Refused("corrupt", f"{len(rows[0])} columns instead of {keys}")
        if own and {row.get(own[0]) for row in rows} != {own[1]}:
            raise Refused("corrupt", f"rows of {rows[0].get(own[0])}, not of {own[1]}")
        return TEXT

    return check


def csindex(code: str, keys: Sequence[str]) -> Check:
    """Accept csindex's levels of a code: akshare names the columns by their order."""

    def check(_: str, body: bytes) -> str:
        found = object_of(body)
        rows = found.get("data")
        if str(found.get("code")) != "200" or not isinstance(rows, list):
            raise Refused("transient", f"code {found.get('code')!r}")
        if not rows:
            raise Refused("no_data_unexplained", "no levels")
        for row in rows:
            if list(row) != list(keys):
                raise Refused("corrupt", f"columns {', '.join(row)}")
            if row["indexCode"] != code:
                raise Refused("corrupt", f"levels of {row['indexCode']}, not of {code}")
            refuse_day(f"{row['tradeDate'][:4]}-{row['tradeDate'][4:6]}-{row['tradeDate'][6:]}")
            refuse_figures([str(row["close"])], prices=1)
        return TEXT

    return check


def quote(code: str) -> Check:
    """Accept Eastmoney's facts about a code."""

    def check(_: str, body: bytes) -> str:
        data = object_of(body).get("data")
        if data is None:
            raise Refused("no_data_unexplained", "data is null")
        if data.get("f57") != code:
            raise Refused("corrupt", f"facts about {data.get('f57')}, not {code}")
        return TEXT

    return check


def listing(codes: set[str]) -> Check:
    """Accept a page of Eastmoney's list of codes, and add those on it."""
    pages = _Pages()

    def check(url: str, body: bytes) -> str:
        data = object_of(body).get("data")
        if not data or not data.get("diff") or not data.get("total"):
            raise Refused("no_data_unexplained", "no list of codes")
        refuse_unkeyed(data["diff"], ("f3", "f12", "f13"))
        rows, total = len(data["diff"]), data["total"]
        full = pages.held.get(1, rows)  # of which akshare reckons how many pages there are
        last = -(-total // full) if isinstance(total, int) else None
        pages.add(_page(url, "pn"), rows, total, last)
        codes.update(row["f12"] for row in data["diff"])
        return TEXT

    return check


def by_path(checks: dict[str, Check]) -> Check:
    """Return the check of whichever address a reply is from; no other address is expected."""

    def check(url: str, body: bytes) -> str:
        for part, found in checks.items():
            if part in url:
                return found(url, body)
        raise Refused("corrupt", f"{url} was not to be asked")

    return check
