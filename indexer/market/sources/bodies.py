"""What a reply must look like before akshare may read it.

akshare looks at no status, trusts positions, turns what is no number into "missing" and runs some
replies as code. So the bytes are judged first: here it is decided which way an answer is no
answer, and that what passes is plain data about what was asked.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from indexer.market.sources.verdict import Outcome

Check = Callable[[str, bytes], None]  # the address and the body; raises `Refused`
Texts = Sequence[str]
Own = tuple[str, str]

_HUGE = 1e15  # no figure of a company's is larger
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KLC = re.compile(r'\s*var\s+(\w+)\s*=\s*"([A-Za-z0-9+/]*)"\s*;?\s*')
_CUT = re.compile(r'\s*var\s+\w+\s*=\s*"[A-Za-z0-9+/]*')
_AMOUNTS = re.compile(
    r"(?:/\*[^*]*\*/)?\s*(?:var\s+)?\w+\s*=\s*\(?\["
    r'(?:\{date:"[0-9-]+",amount:"[0-9.]+"\},?)*\]\)?;?\s*'
)
_FACTORS = re.compile(r"[\w\s{}\[\]\":,.+-]*")  # no call, no attribute of anything
_EXCEL = (b"\xd0\xcf\x11\xe0", b"\x09\x00\x04\x00", b"PK\x03\x04")
_REFUSING = {401, 403, 407, 418, 429, 451, 456}


class Refused(BaseException):
    """A reply is no answer.

    Attributes
    ----------
    outcome : which way
    reason : what came, and what was expected
    """

    def __init__(self, outcome: Outcome, reason: str) -> None:
        self.outcome: Outcome = outcome
        self.reason = reason
        super().__init__(f"{outcome}: {reason}")


class NoRecords(Refused):
    """A reply is whole and holds none: there may never have been any."""


def judge_status(status: int) -> None:
    """Raise `Refused` unless the status is 200: akshare reads whatever comes with it."""
    if status in _REFUSING or 300 <= status < 400:
        raise Refused("blocked", f"status {status}")
    if status == 404:
        raise Refused("no_data_unexplained", "status 404")
    if status != 200:
        raise Refused("transient", f"status {status}")


def html(*wanted: str, encoding: str = "utf-8") -> Check:
    """Accept a page that holds one of some texts: any other page stands in the way of it."""

    def check(_: str, body: bytes) -> None:
        text = body.decode(encoding, errors="replace")
        if text.count("<table") > text.count("</table"):
            raise Refused("transient", "a page that ends within a table")
        if not any(word in text for word in wanted):
            raise Refused("blocked", f"a page without {' or '.join(wanted)}")

    return check


def rates(url: str, body: bytes) -> None:
    """Raise `Refused` unless this is Sina's table of rates, or its list of currencies."""
    html("money_code", "<table", encoding="gbk")(url, body)
    if "call_type=ajax" in url and b"<td" not in body:
        raise Refused("no_data_unexplained", "a table without rows")


def excel(_: str, body: bytes) -> None:
    """Raise `Refused` unless this is a workbook."""
    _refuse_page(body)
    if not body.startswith(_EXCEL):
        raise Refused("corrupt", "not a workbook")


def klc(code: str) -> Check:
    """Accept compact bars named after a code: nothing but one text, so nothing that runs."""

    def check(_: str, body: bytes) -> None:
        text = _text(body)
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

    return check


def amounts(_: str, body: bytes) -> None:
    """Raise `Refused` unless this is Sina's list of dated share counts."""
    if not _AMOUNTS.fullmatch(_text(body)):
        raise Refused("corrupt", "not a list of dates and amounts")


def factors(_: str, body: bytes) -> None:
    """Raise `Refused` unless the factors are JSON: akshare evaluates what stands after the sign."""
    text = _text(body)
    data = text.partition("=")[2].partition("\n")[0]
    if "=" in data or not _FACTORS.fullmatch(data):
        raise Refused("corrupt", "adjustment factors that are no plain data")
    rows = _parsed(data)
    if not isinstance(rows, dict) or not isinstance(rows.get("data"), list):
        raise Refused("corrupt", "adjustment factors without data")


def kline(code: str, markets: Iterable[int], fields: int) -> Check:
    """Accept Eastmoney's bars of a code, each with its fields and figures in all of them."""
    allowed = set(markets)

    def check(_: str, body: bytes) -> None:
        data = _object(body).get("data")
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
            _day(row[0])
            _figures(row[1:7], prices=4)

    return check


def tencent(symbol: str, until: date, seen: list[int]) -> Check:
    """Accept Tencent's bars of a symbol with its prefix, raw ones, that begin before a date.

    How many are in each reply is added to what was ``seen``.
    """

    def check(url: str, body: bytes) -> None:
        text = _text(body)
        data = _parsed(text[text.find("={") + 1 :])
        rows = data.get("data") if isinstance(data, dict) else None
        if "weekTrends" in url:
            if not rows:
                raise Refused("no_data_unexplained", "no first week")
            _day(rows[0][0])
            if date.fromisoformat(rows[0][0]) > until + timedelta(days=7):
                raise Refused("no_data_unexplained", f"the first week is that of {rows[0][0]}")
            return
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
            _day(row[0])
            _figures([*row[1:6], row[8]], prices=4)

    return check


def records(*needed: str, days: Texts = (), figures: Texts = ()) -> Check:
    """Accept cninfo's records with some keys, and with dates and figures, or nothing, in some."""

    def check(_: str, body: bytes) -> None:
        found = _object(body)
        if found.get("resultcode") != 200:
            raise Refused("transient", f"resultcode {found.get('resultcode')!r}")
        rows = found.get("records")
        if not isinstance(rows, list):
            raise Refused("corrupt", "records that are no list")
        if not rows:
            raise NoRecords("no_data_unexplained", "no records")
        _plain(rows, needed, days, figures)

    return check


def datacenter(
    *needed: str, days: Texts = (), figures: Texts = (), keys: int = 0, own: Own | None = None
) -> Check:
    """Accept Eastmoney's rows as `records`, with a number of keys, and a key that says whose."""

    def check(_: str, body: bytes) -> None:
        found = _object(body)
        result = found.get("result")
        if result is None and found.get("code") != 9201:
            raise Refused("transient", f"code {found.get('code')!r}: {found.get('message')}")
        rows = result and result.get("data")
        if not rows:
            raise Refused("no_data_unexplained", "no rows")
        _plain(rows, needed, days, figures)
        if keys and {len(row) for row in rows} != {keys}:
            raise Refused("corrupt", f"{len(rows[0])} columns instead of {keys}")
        if own and {row.get(own[0]) for row in rows} != {own[1]}:
            raise Refused("corrupt", f"rows of {rows[0].get(own[0])}, not of {own[1]}")

    return check


def csindex(code: str, keys: Sequence[str]) -> Check:
    """Accept csindex's levels of a code: akshare names the columns by their order."""

    def check(_: str, body: bytes) -> None:
        found = _object(body)
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
            _day(f"{row['tradeDate'][:4]}-{row['tradeDate'][4:6]}-{row['tradeDate'][6:]}")
            _figures([str(row["close"])], prices=1)

    return check


def quote(code: str) -> Check:
    """Accept Eastmoney's facts about a code."""

    def check(_: str, body: bytes) -> None:
        data = _object(body).get("data")
        if data is None:
            raise Refused("no_data_unexplained", "data is null")
        if data.get("f57") != code:
            raise Refused("corrupt", f"facts about {data.get('f57')}, not {code}")

    return check


def listing(codes: set[str]) -> Check:
    """Accept a page of Eastmoney's list of codes, and add those on it."""

    def check(_: str, body: bytes) -> None:
        data = _object(body).get("data")
        if not data or not data.get("diff") or not data.get("total"):
            raise Refused("no_data_unexplained", "no list of codes")
        _keyed(data["diff"], ("f3", "f12", "f13"))
        codes.update(row["f12"] for row in data["diff"])

    return check


def by_path(checks: dict[str, Check]) -> Check:
    """Return the check of whichever address a reply is from; no other address is expected."""

    def check(url: str, body: bytes) -> None:
        for part, found in checks.items():
            if part in url:
                return found(url, body)
        raise Refused("corrupt", f"{url} was not to be asked")

    return check


def _refuse_page(body: bytes) -> None:
    if not body.strip():
        raise Refused("transient", "an empty body")
    if body.lstrip()[:1] == b"<":
        raise Refused("blocked", "a page instead of data")


def _text(body: bytes) -> str:
    _refuse_page(body)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("corrupt", f"not UTF-8 at byte {error.start}") from None


def _constant(name: str) -> Any:
    raise Refused("corrupt", f"{name} for a number")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_constant)
    except RecursionError:
        raise Refused("corrupt", "JSON nested too deep") from None
    except ValueError as error:
        raise Refused("transient", f"not whole JSON: {error}") from None


def _object(body: bytes) -> dict[str, Any]:
    found = _parsed(_text(body))
    if not isinstance(found, dict):
        raise Refused("corrupt", "JSON that is no object")
    return found


def _keyed(rows: Sequence[Any], needed: Iterable[str]) -> None:
    missing = [key for key in needed if not all(isinstance(r, dict) and key in r for r in rows)]
    if missing:
        raise Refused("corrupt", f"rows without {', '.join(missing)}")


def _plain(rows: Sequence[Any], needed: Texts, days: Texts, figures: Texts) -> None:
    """Refuse what akshare would turn into "missing": no date, or no number, where one stands."""
    _keyed(rows, (*needed, *days, *figures))
    for row in rows:
        for name in days:
            if row[name]:
                _day(str(row[name]).removesuffix(" 00:00:00"))
        for name in figures:
            cell = row[name]
            plain = isinstance(cell, int | float) or _NUMBER.fullmatch(str(cell))
            if cell is not None and not (plain and abs(float(cell)) < _HUGE):
                raise Refused("corrupt", f"{name} {str(cell)[:24]!r} is no number")


def _day(text: Any) -> None:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        date.fromisoformat(text)
    except (ValueError, TypeError):
        raise Refused("corrupt", f"{text!r} is no date") from None


def _figures(cells: Sequence[Any], prices: int) -> None:
    """Refuse what is no plain decimal number; the first ones are prices and above zero."""
    for n, cell in enumerate(cells):
        if not isinstance(cell, str) or not _NUMBER.fullmatch(cell) or len(cell) > 24:
            raise Refused("corrupt", f"{cell!r} is no number")
        number = float(cell)
        if number < 0 or (number == 0 and n < prices):
            raise Refused("corrupt", f"{cell} where a {'price' if n < prices else 'volume'} stands")
