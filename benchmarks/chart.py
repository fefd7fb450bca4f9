"""Cost against size, drawn as one SVG: logarithmic axes, one curve for each case and size."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _PLOT_W, _PLOT_H = 460, 300, 60, 34, 290, 210
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")


def drawn(scalings: Sequence[Mapping[str, Any]]) -> str:
    """Return the chart: a panel for each size that was varied, nanoseconds an answer.

    Sizes of zero have no logarithm and are left out.
    """
    by_axis = sorted(scalings, key=lambda found: found["axis"])
    panels = [(axis, list(found)) for axis, found in groupby(by_axis, lambda f: f["axis"])]
    columns = 2
    rows = math.ceil(len(panels) / columns)
    width, height = columns * _WIDTH, rows * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for n, (axis, found) in enumerate(panels):
        at = f"translate({n % columns * _WIDTH},{n // columns * _HEIGHT})"
        parts += [f'<g transform="{at}">', *_panel(axis, found), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def _panel(axis: str, found: Sequence[Mapping[str, Any]]) -> list[str]:
    curves = [
        [(x, 1e9 * y) for x, y in zip(f["values"], f["per_output"], strict=True) if x > 0]
        for f in found
    ]
    across = _decades([x for curve in curves for x, _ in curve])
    up = _decades([y for curve in curves for _, y in curve])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + _PLOT_W * _share(x, across),
            _TOP + _PLOT_H * (1 - _share(y, up)),
        )

    parts = [f'<text x="{_LEFT}" y="{_TOP - 14}">ns an answer against {escape(axis)}</text>']
    for x in _ticks(across):
        left, low = place(x, 10.0 ** up[0])
        parts.append(_line((left, low), (left, _TOP)))
        parts.append(
            f'<text x="{left:.1f}" y="{low + 15:.1f}" text-anchor="middle">{x:,.10g}</text>'
        )
    for y in _ticks(up):
        left, low = place(10.0 ** across[0], y)
        parts.append(_line((left, low), (left + _PLOT_W, low)))
        parts.append(f'<text x="{left - 6:.1f}" y="{low + 4:.1f}" text-anchor="end">{y:g}</text>')
    for n, (told, curve) in enumerate(zip(found, curves, strict=True)):
        colour = _COLOURS[n % len(_COLOURS)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in curve))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(
            f'<text x="{_LEFT + _PLOT_W + 8}" y="{_TOP + 12 + 15 * n}" fill="{colour}">'
            f"{escape(told['case'])}</text>"
        )
    return parts


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        'stroke="#ddd"/>'
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    first = math.floor(math.log10(min(values)))
    return first, max(first + 1, math.ceil(math.log10(max(values))))


def _share(value: float, decades: tuple[int, int]) -> float:
    return (math.log10(value) - decades[0]) / (decades[1] - decades[0])


def _ticks(decades: tuple[int, int]) -> list[float]:
    return [10.0**power for power in range(decades[0], decades[1] + 1)]
