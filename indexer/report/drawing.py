"""A figure drawn as SVG: what a notebook keeps and shows without a script."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

_WIDTH, _HEIGHT = 860, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 56, 28
_INK = ("#1d2733", "#0b62b0", "#c2410c", "#0f7a5a", "#7a3fb5", "#a3195b", "#6b6400", "#0e7490")
_SHADES = {
    "stretched": "#f6d9a0",
    "catch-up": "#a9dcb9",
    "leader-fall": "#b9cdf2",
    "both-falling": "#f2b9b9",
    "closed": "#dcdfe4",
}
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
        return round(_HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM), 1)


def drawing(figures: Sequence[dict[str, Any]], sessions: Sequence[str], mark: str) -> Drawing:
    """Return figures as drawings.

    Parameters
    ----------
    figures : each with ``title, lines, bands, bounds`` as `indexer.report.figures` has them
    sessions : ISO dates
    mark : such as that the data are synthetic; empty for none
    """
    return Drawing(tuple(_svg(figure, sessions, mark) for figure in figures))


def _svg(figure: dict[str, Any], sessions: Sequence[str], mark: str) -> str:
    lines = figure["lines"]
    frame = _frame(figure, lines, len(sessions))
    title = f"{mark} · {figure['title']}" if mark else str(figure["title"])  # the end may be cut
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}" style="max-width:{_WIDTH}px;background:#fff" '
        'font-family="sans-serif" font-size="11">',
        f'<text x="{_LEFT}" y="16" font-size="14" font-weight="bold">{escape(title)}</text>',
        *_bands(figure, frame),
        *_scale(frame, sessions),
    ]
    at = _LEFT
    for line in lines:
        label, colour = str(line["label"]), _INK[line["slot"] % len(_INK)]
        parts.append(f'<text x="{at}" y="36" fill="{colour}">{escape(label)}</text>')
        at += 14 + sum(11 if ord(c) >= 0x2E80 else 6 for c in label)
        parts += _line(line, colour, frame)
    return "".join([*parts, "</svg>"])


def _frame(figure: dict[str, Any], lines: Sequence[dict[str, Any]], sessions: int) -> _Frame:
    values = [v for line in lines for v in line["values"] if v is not None]
    if figure["bounds"]:
        low, high = figure["bounds"]
        return _Frame(sessions, low, high, log=False)
    low, high = (min(values), max(values)) if values else (1.0, 2.0)
    log = low > 0
    room = 1.05 if high > low else 1.1
    if log:
        return _Frame(sessions, low / room, high * room, log)
    return _Frame(sessions, low - abs(high) / 20 - 1e-9, high + abs(high) / 20 + 1e-9, log)


def _bands(figure: dict[str, Any], frame: _Frame) -> Iterator[str]:
    for first, last, key in figure["bands"]:
        left, right = frame.x(first - 0.5), frame.x(last + 0.5)
        yield (
            f'<rect x="{left}" y="{_TOP}" width="{round(right - left, 1)}" '
            f'height="{_HEIGHT - _TOP - _BOTTOM}" fill="{_SHADES[key]}"><title>{escape(key)}'
            "</title></rect>"
        )


def _scale(frame: _Frame, sessions: Sequence[str]) -> Iterator[str]:
    if frame.log:
        ticks = np.geomspace(frame.low, frame.high, 5)
    else:
        ticks = np.linspace(frame.low, frame.high, 5)
    for tick in ticks:
        y = frame.y(float(tick))
        yield f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#d9dee5"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:.4g}</text>'
    for row in sorted({0, (len(sessions) - 1) // 2, len(sessions) - 1}):
        anchor = "start" if not row else "end" if row == len(sessions) - 1 else "middle"
        place = f'x="{frame.x(row)}" y="{_HEIGHT - 8}" text-anchor="{anchor}"'
        yield f"<text {place}>{escape(sessions[row])}</text>"


def _line(line: dict[str, Any], colour: str, frame: _Frame) -> Iterator[str]:
    """Yield the strokes of a line: pale where it is back-tested, broken where it has no value."""
    rows, values, tested = line["rows"], line["values"], line["tested"]
    for first, last, opacity in ((0, tested, 0.45), (max(0, tested - 1), len(rows), 1.0)):
        path, pen = [], "M"
        for row, value in zip(rows[first:last], values[first:last], strict=True):
            if value is None:
                pen = "M"
                continue
            path.append(f"{pen}{frame.x(row)} {frame.y(value)}")
            pen = "L"
        if path:
            yield (
                f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.6" '
                f'stroke-opacity="{opacity}" stroke-dasharray="{_DASHES[line["style"]]}"/>'
            )
