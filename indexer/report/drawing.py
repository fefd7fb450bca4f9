"""A figure drawn as SVG: what a notebook keeps and shows without a script."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

_WIDTH, _HIGH = 860, 216  # of the drawing, and of the part of it where lines are
_LEFT, _RIGHT, _BOTTOM = 60, 20, 28
_LARGE, _SMALL = 14, 11  # sizes of letters
INK = "#1d2733"
_LINES = ("#0b62b0", "#c2410c", "#0f7a5a", "#7a3fb5", "#a3195b", "#6b6400", "#0e7490", "#6b7280")


def ink(slot: int) -> str:
    """Return the colour of a line by its slot, that of the text for 0, as ``charts.js`` has it."""
    return _LINES[(slot - 1) % len(_LINES)] if slot else INK


def pale(colour: str) -> str:
    """Return the colour of what is back-tested: still 3:1 on paper, and no darker over itself."""
    parts = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return "#" + "".join(f"{round(_INKED * part + (1 - _INKED) * 255):02x}" for part in parts)


class Shade(NamedTuple):
    """The colours of a state: behind the lines of a chart, and of a line that stands for it."""

    pale: str
    strong: str


SHADES = {  # by the keys of `indexer.report.words.SHADES`; the pale ones stand in page.css too
    "stretched": Shade("#f6d9a0", "#E0A030"),
    "catch-up": Shade("#a9dcb9", "#2E9E55"),
    "leader-fall": Shade("#b9cdf2", "#4C7BD9"),
    "both-falling": Shade("#f2b9b9", "#D95757"),
    "closed": Shade("#dcdfe4", "#9AA0A8"),
}
PALE = "浅色为回测 pale: back-tested"
_INKED = 0.7  # of what is pale; the rest is paper
_DASHES = {"solid": "", "dashed": "6 4", "dotted": "2 3"}


@dataclass(frozen=True, slots=True, repr=False)
class Drawing:
    """Figures as SVG, one after the other; a notebook shows them."""

    svg: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.svg)} figures>"

    def _repr_html_(self) -> str:
        return "\n".join(self.svg)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a session and a value are on the drawing; without bounds the scale is logarithmic."""

    top: int
    sessions: int
    low: float
    high: float
    log: bool

    def x(self, row: float) -> float:
        wide = _WIDTH - _LEFT - _RIGHT
        return round(_LEFT + wide * row / max(1, self.sessions - 1), 1)

    def y(self, value: float) -> float:
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        part = (at - low) / (high - low)
        return round(self.top + (1 - part) * _HIGH, 1)


def drawing(figures: Sequence[dict[str, Any]], sessions: Sequence[str], mark: str) -> Drawing:
    """Return figures as drawings.

    Parameters
    ----------
    figures : each with ``title, lines, bands, bounds`` as `indexer.report.figure` has them, but for
        text, which is shown as it is
    sessions : ISO dates
    mark : such as that the data are synthetic; empty for none
    """
    return Drawing(tuple(_svg(figure, sessions, mark) for figure in figures))


def _svg(figure: dict[str, Any], sessions: Sequence[str], mark: str) -> str:
    lines = figure["lines"]
    title = f"{mark} · {figure['title']}" if mark else str(figure["title"])
    heads, top = _wrapped(title.split(" "), _LARGE, gap=5, y=16)
    rows = {y: " ".join(w for _, at, w in heads if at == y) for _, y, _ in heads}
    labels = [str(line["label"]) for line in lines]
    labels += [PALE] if any(line["tested"] for line in lines) else []
    keys, top = _wrapped(labels, _SMALL, gap=34, y=top + 2)
    frame = _frame(figure, lines, top - 2, len(sessions))
    box = f"0 0 {_WIDTH} {frame.top + _HIGH + _BOTTOM}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" '
        f'aria-label="{escape(title)}" style="max-width:{_WIDTH}px;background:#fff" '
        f'font-family="sans-serif" font-size="{_SMALL}">',
        f'<g font-size="{_LARGE}" font-weight="bold">',
        *(f'<text x="{_LEFT}" y="{y}">{escape(row)}</text>' for y, row in rows.items()),
        "</g>",
        *_bands(figure, frame),
        *_scale(frame, sessions),
    ]
    for line, (x, y, label) in zip(lines, keys, strict=False):
        colour = ink(line["slot"])
        parts.append(_stroke(f"M{x} {y - 4}h16", colour, line["style"]))
        parts.append(f'<text x="{x + 20}" y="{y}" fill="{colour}">{escape(label)}</text>')
        parts += _line(line, colour, frame)
    parts += [f'<text x="{x}" y="{y}">{PALE}</text>' for x, y, _ in keys[len(lines) :]]
    return "".join([*parts, "</svg>"])


def _wrapped(
    words: Sequence[str], size: int, *, gap: int, y: int
) -> tuple[list[tuple[int, int, str]], int]:
    """Return where each word is, in as many rows as they need, and where the next row would be."""
    found, x = [], _LEFT
    for word in words:
        wide = sum(size if ord(c) >= 0x2E80 else round(0.62 * size) for c in word)
        if x + wide > _WIDTH - _RIGHT and x > _LEFT:
            x, y = _LEFT, y + size + 4
        found.append((x, y, word))
        x += wide + gap
    return found, y + size + 4


def _frame(
    figure: dict[str, Any], lines: Sequence[dict[str, Any]], top: int, sessions: int
) -> _Frame:
    values = [v for line in lines for v in line["values"] if v is not None]
    if figure["bounds"]:
        low, high = figure["bounds"]
        return _Frame(top, sessions, low, high, log=False)
    low, high = (min(values), max(values)) if values else (1.0, 2.0)
    log = low > 0
    if log:
        room = 1.05 if high > low else 1.1
        return _Frame(top, sessions, low / room, high * room, log)
    room = (high - low or abs(high) or 1.0) / 20
    return _Frame(top, sessions, low - room, high + room, log)


def _bands(figure: dict[str, Any], frame: _Frame) -> Iterator[str]:
    for first, last, key in figure["bands"]:
        left, right = frame.x(first - 0.5), frame.x(last + 0.5)
        yield (
            f'<rect x="{left}" y="{frame.top}" width="{round(right - left, 1)}" '
            f'height="{_HIGH}" fill="{SHADES[key].pale}"><title>{escape(key)}</title></rect>'
        )


def _scale(frame: _Frame, sessions: Sequence[str]) -> Iterator[str]:
    for tick in _ticks(frame):
        y = frame.y(tick)
        yield f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#d9dee5"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:.10g}</text>'
    for row in sorted({0, (len(sessions) - 1) // 2, len(sessions) - 1}):
        anchor = "start" if not row else "end" if row == len(sessions) - 1 else "middle"
        place = f'x="{frame.x(row)}" y="{frame.top + _HIGH + 20}" text-anchor="{anchor}"'
        yield f"<text {place}>{escape(sessions[row])}</text>"


def _ticks(frame: _Frame) -> list[float]:
    """Return round values between the bounds: three to some eight of them."""
    low, high = frame.low, frame.high
    if frame.log:
        tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for parts in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
            ticks = [part * 10.0**ten for ten in tens for part in parts]
            found = [tick for tick in ticks if low <= tick <= high]
            if len(found) >= 4:
                return found
    step = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = max(step * part for part in (1, 2, 2.5, 5) if step * part <= (high - low) / 3)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def _line(line: dict[str, Any], colour: str, frame: _Frame) -> Iterator[str]:
    """Yield the strokes of a line: pale where it is back-tested, broken where it has no value."""
    rows, values, tested = line["rows"], line["values"], line["tested"]
    spans = ((0, tested, pale(colour)), (max(0, tested - 1), len(rows), colour))
    for first, last, shade in spans:
        path, pen = [], "M"
        for row, value in zip(rows[first:last], values[first:last], strict=True):
            if value is None:
                pen = "M"
                continue
            path.append(f"{pen}{frame.x(row)} {frame.y(value)}")
            pen = "L"
        if path:
            yield _stroke("".join(path), shade, line["style"])


def _stroke(path: str, colour: str, style: str) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" '
        f'stroke-dasharray="{_DASHES[style]}"/>'
    )
