"""The oldest Excel file there is: one sheet of texts and numbers, as csindex and SAFE serve theirs.

BIFF2 needs no container around it, and readers of .xls files still take it.
"""

import struct
from collections.abc import Sequence

Cell = str | float | None


def sheet(rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return a workbook of one sheet; texts in the Chinese code page, empty cells left out."""
    parts = [_record(0x0009, struct.pack("<HH", 7, 0x10)), _record(0x0042, struct.pack("<H", 936))]
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            where = struct.pack("<HH3x", row, column)
            if isinstance(cell, str):
                text = cell.encode("gbk")
                parts.append(_record(0x0004, where + bytes([len(text)]) + text))
            elif cell is not None:
                parts.append(_record(0x0003, where + struct.pack("<d", cell)))
    return b"".join([*parts, _record(0x000A, b"")])


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body
