"""What goes wrong upstream: 35 kinds in the transport and the shape, 25 in the data themselves."""

import gzip
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from benchmarks.standin.figures import reshaped, spoiled
from benchmarks.standin.market import Bar, Market
from benchmarks.standin.wire import Reply, Request, Row, Spoil

DRIP = 0.5  # seconds between two bytes of a slow reply
HANG = 60.0  # seconds a silent connection is held open

_Bars = Callable[[list[Bar]], list[Bar]]
_Text = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, and which row it falls on; ``none`` is no fault.

    Attributes
    ----------
    kind : a key of `KINDS`
    at : the row, counted from the end: 1 is the last session
    """

    kind: str
    at: int = 1

    def on(self, market: Market, request: Request) -> Spoil:
        """Return what the fault does to the data of a request."""
        return _Spoiled(self, market, request)


@dataclass(frozen=True, slots=True)
class _Spoiled:
    fault: Fault
    market: Market
    request: Request

    def symbol(self, symbol: str) -> str:
        if self.fault.kind == "data_null":
            return ""
        if self.fault.kind == "wrong_code" and symbol in self.market.rates:
            return next(code for code in self.market.rates if code != symbol)
        if self.fault.kind == "wrong_code":
            other = (s for s in self.market.bars if s != symbol and s[-2:] in {"SH", "SZ"})
            return next(other, "")
        return symbol

    def bars(self, bars: list[Bar]) -> list[Bar]:
        change = _BARS.get(self.fault.kind)
        row = len(bars) - min(self.fault.at, len(bars))
        return change(list(bars), row) if change and bars else bars

    def rows(self, rows: list[Row]) -> list[Row]:
        change = _ROWS.get(self.fault.kind)
        row = len(rows) - min(self.fault.at, len(rows))
        return change([list(cells) for cells in rows], row) if change and rows else rows

    def figures(self, rows: list[Row]) -> list[Row]:
        if self.fault.kind == "truncated_page":  # which is no fault of the figures
            return rows
        return spoiled(self.fault.kind, rows, len(rows) - min(self.fault.at, len(rows)))

    def records(self, records: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
        return reshaped(self.fault.kind, records, key)

    def page(self, rows: list[Any]) -> list[Any]:
        return rows[-2:] if self.fault.kind == "truncated_page" else rows


def _cell(column: int, write: _Text) -> Callable[[list[Row], int], list[Row]]:
    def change(rows: list[Row], at: int) -> list[Row]:
        rows[at][column] = write(rows[at][column])
        return rows

    return change


def _twice(rows: list[Row], at: int) -> list[Row]:
    return [*rows[: at + 1], *rows[at:]]


def _conflict(rows: list[Row], at: int) -> list[Row]:
    other = list(rows[at])
    other[2] = f"{float(other[2]) * 1.01:.2f}"
    return [*rows[: at + 1], other, *rows[at + 1 :]]


def _swapped(rows: list[Row], at: int) -> list[Row]:
    del at
    return [[row[0], row[2], row[1], *row[3:]] for row in rows]


def _ragged(rows: list[Row], at: int) -> list[Row]:
    rows[at] += ["9", "9"]
    return rows


def _future(rows: list[Row], at: int) -> list[Row]:
    del at
    return [*rows, [f"{int(rows[-1][0][:4]) + 4}{rows[-1][0][4:]}", *rows[-1][1:]]]


# Cells of a row: date, open, close, high, low, volume and what the vendor adds.
_ROWS: dict[str, Callable[[list[Row], int], list[Row]]] = {
    "dup_rows": _twice,
    "conflicting_dup": _conflict,
    "unsorted": lambda rows, at: rows[::-1],
    "dash_values": _cell(2, lambda _: "-"),
    "nan_inf": _cell(2, lambda _: "inf"),
    "neg_price": _cell(2, lambda cell: f"-{cell}"),
    "zero_price": _cell(2, lambda _: "0.00"),
    "bad_date": _cell(0, lambda cell: f"{cell[:4]}-13-45"),
    "huge_int": _cell(2, lambda _: "1e400"),
    "extra_col": lambda rows, at: [[*row, "7"] for row in rows],
    "missing_col": lambda rows, at: [row[:5] for row in rows],
    "swapped_cols": _swapped,
    "ragged": _ragged,
    "klines_empty": lambda rows, at: [],
    "future_row": _future,
    "fractional_lots": _cell(5, lambda cell: f"{float(cell) + 0.5:.2f}"),
}


def _scaled(factor: float, constant: float = 0.0) -> _Bars:
    def scale(bars: list[Bar]) -> list[Bar]:
        return [
            bar._replace(**{k: round(getattr(bar, k) * factor + constant, 3) for k in _PRICES})
            for bar in bars
        ]

    return scale


_PRICES = ("open", "high", "low", "close")


def _all(change: _Bars) -> Callable[[list[Bar], int], list[Bar]]:
    return lambda bars, at: change(bars)


def _one(change: _Bars) -> Callable[[list[Bar], int], list[Bar]]:
    return lambda bars, at: [*bars[:at], *change(bars[at : at + 1]), *bars[at + 1 :]]


def _volumes(factor: float) -> _Bars:
    return lambda bars: [bar._replace(volume=bar.volume * factor) for bar in bars]


def _shifted(days: int) -> _Bars:
    return lambda bars: [bar._replace(day=bar.day + timedelta(days)) for bar in bars]


def _phantom(bars: list[Bar], at: int) -> list[Bar]:
    del at
    friday = max(n for n, bar in enumerate(bars[:-1]) if bar.day.weekday() == 4)
    saturday = bars[friday]._replace(day=bars[friday].day + timedelta(1))
    return [*bars[: friday + 1], saturday, *bars[friday + 1 :]]


def _partial(bars: list[Bar]) -> list[Bar]:
    """Return the bar as it stood at noon: it had not closed yet."""
    return [
        bar._replace(
            close=round((bar.high + bar.low) / 2 * 1.001, 2),
            volume=bar.volume // 200 * 100,
            amount=float(round(bar.volume // 200 * 100 * (bar.high + bar.low) / 2)),
        )
        for bar in bars
    ]


def _frozen(bars: list[Bar]) -> list[Bar]:
    """Return a bar in which nothing moved and nothing was traded."""
    flat = [bar.open for bar in bars]
    return [
        Bar(bar.day, price, price, price, price, 0.0, 0.0)
        for bar, price in zip(bars, flat, strict=True)
    ]


def _swap_amount(bars: list[Bar]) -> list[Bar]:
    return [bar._replace(volume=round(bar.amount), amount=bar.volume) for bar in bars]


_BARS: dict[str, Callable[[list[Bar], int], list[Bar]]] = {
    "one_row_missing_today": lambda bars, at: bars[:-1],
    "truncated_page": lambda bars, at: bars[-2:],
    "column_swap": _all(_swap_amount),
    "rebased_history": lambda bars, at: [*_scaled(1, -0.9)(bars[:at]), *bars[at:]],
    "affine_history": _all(_scaled(0.87, -0.31)),
    "adjusted_as_raw": _all(_scaled(1.4142)),
    "scaled_up": _one(_scaled(10)),
    "scaled_down": _one(_scaled(0.1)),
    "decimals_lost": _all(_scaled(100)),
    "decimals_lost_once": _one(_scaled(100)),
    "row_dropped": lambda bars, at: [*bars[:at], *bars[at + 1 :]],
    "head_cut": lambda bars, at: bars[len(bars) // 2 :],
    "end_cut": lambda bars, at: bars[:-4],
    "shifted_forward": _all(_shifted(1)),
    "shifted_back": _all(_shifted(-1)),
    "phantom": _phantom,
    "flat_zero_volume": _one(_frozen),
    "repeated_close": lambda bars, at: [
        *bars[:at],
        *(bars[max(0, at - 1)]._replace(day=bar.day) for bar in bars[at : at + 1]),
        *bars[at + 1 :],
    ],
    "partial_today": lambda bars, at: [*bars[:-1], *_partial(bars[-1:])],
    "volume_times_100": _one(_volumes(100)),
    "volume_over_100": _one(_volumes(0.01)),
    "volumes_times_100": _all(_volumes(100)),
}


def _body(change: Callable[[bytes], bytes]) -> Callable[[Reply], Reply]:
    return lambda reply: reply._replace(body=change(reply.body))


def _page(status: str, text: str) -> Callable[[Reply], Reply]:
    return lambda _: Reply(text.encode(), "text/html", status)


def _gzipped(body: bytes) -> Callable[[Reply], Reply]:
    return lambda reply: reply._replace(body=body, headers=(("Content-Encoding", "gzip"),))


@lru_cache
def _bomb_bytes() -> bytes:
    return gzip.compress(b" " * (200 << 20), 1)


def _bomb(reply: Reply) -> Reply:
    return _gzipped(_bomb_bytes())(reply)


_REPLIES: dict[str, Callable[[Reply], Reply]] = {
    "http_429": lambda reply: reply._replace(body=b"{}", status="429 Too Many Requests"),
    "http_502_html": _page("502 Bad Gateway", "<html>bad</html>"),
    "http_403_json_ok_body": lambda reply: reply._replace(status="403 Forbidden"),
    "captcha_html_200": _page("200 OK", "<html>请完成验证</html>"),
    "empty_body": _body(lambda _: b""),
    "truncated_json": _body(lambda body: body[: len(body) // 2]),
    "gbk_bytes": _body(lambda body: body + "浦发".encode("gbk")),
    "bom_json": _body(lambda body: b"\xef\xbb\xbf" + body),
    "gzip_bomb": _bomb,
    "bad_gzip": _gzipped(b"notgzip"),
    "redirect_loop": lambda reply: reply._replace(
        body=b"", status="302 Found", headers=(("Location", "/again"),)
    ),
    "nested_json": _body(lambda body: b"[" * 200_000),
    "code_in_body": _body(
        lambda _: b'var KLC="x";__import__("os").system("touch /tmp/indexer-standin-ran")'
    ),
}

TRANSPORT = (
    *("rst", "close_no_response", "http_429", "http_502_html", "http_403_json_ok_body"),
    *("captcha_html_200", "data_null", "klines_empty", "empty_body", "truncated_json"),
    *("short_content_length", "long_content_length", "wrong_code", "dup_rows", "conflicting_dup"),
    *("unsorted", "dash_values", "nan_inf", "neg_price", "zero_price", "bad_date", "extra_col"),
    *("missing_col", "swapped_cols", "ragged", "one_row_missing_today", "future_row", "huge_int"),
    *("gbk_bytes", "bom_json", "gzip_bomb", "bad_gzip", "redirect_loop", "hang", "drip"),
)
PATIENCE = 10  # requests a host answers before ``ban_after_n`` shuts it
DATA = (
    *("truncated_page", "nested_json", "ban_after_n", "column_swap", "rebased_history"),
    *("affine_history", "adjusted_as_raw", "scaled_up", "scaled_down", "decimals_lost"),
    *("decimals_lost_once", "row_dropped", "head_cut", "end_cut", "shifted_forward"),
    *("shifted_back", "phantom", "flat_zero_volume", "repeated_close", "partial_today"),
    *("volume_times_100", "volume_over_100", "volumes_times_100", "fractional_lots"),
    "code_in_body",
)
KINDS = (*TRANSPORT, *DATA)


def wire(fault: Fault, reply: Reply, connection: socket.socket) -> None:
    """Send a reply, spoiled as a fault of the transport would spoil it."""
    kind = fault.kind
    reply = _REPLIES[kind](reply) if kind in _REPLIES else reply
    size = len(reply.body) + {"short_content_length": -len(reply.body) // 2}.get(kind, 0)
    size += 9999 if kind == "long_content_length" else 0
    fields = [("Content-Type", reply.content_type), ("Content-Length", str(size)), *reply.headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in [*fields, ("Connection", "close")])
    message = f"HTTP/1.1 {reply.status}\r\n{head}\r\n".encode() + reply.body
    if kind == "rst":
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    elif kind == "hang":
        time.sleep(HANG)
    elif kind == "drip":
        for byte in message:
            connection.sendall(bytes([byte]))
            time.sleep(DRIP)
    elif kind not in {"close_no_response", "ban_after_n"}:
        connection.sendall(message)
