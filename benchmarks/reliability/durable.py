"""What may be left on a disk that loses its power: only what was synchronised is sure.

A file's content is sure once the file was synchronised, a name once its folder was. Whatever came
later may be there or not: all of it, none, writes in any order, names of a folder in their order.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from benchmarks.reliability.volume import Step

SECTOR = 512  # bytes: a write may end between two
Names = dict[str, int | None]  # number of a file by path; None for a folder
Kept = tuple[tuple[str, bytes | None], ...]
"""A disk: content by path, None for a folder."""


@dataclass(slots=True)
class _File:
    sure: bytes = b""
    later: list[tuple[int, bytes | None]] = field(default_factory=list)  # None: truncated there


class Disk:
    """A disk from its first state on, told step by step what is done to it."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[int, _File] = {}
        self.sure: Names = {"/": None}
        for number, path in enumerate(sorted(folder.rglob("*"))):
            name = f"/{path.relative_to(folder)}"
            self.sure[name] = None if path.is_dir() else number
            if path.is_file():
                self.files[number] = _File(path.read_bytes())
        self.later: list[Step] = []

    def do(self, step: Step) -> None:
        """Take note of a step."""
        match step:
            case ("write", int(number), int(offset), bytes(content)):
                self.files[number].later.append((offset, content))
            case ("truncate", int(number), int(size)):
                self.files[number].later.append((size, None))
            case ("fsync", int(number)):
                self.files[number] = _File(_applied(self.files[number]))
            case ("fsyncdir", str(folder)):
                for name_step in [s for s in self.later if _folder(s) == folder]:
                    _rename(self.sure, name_step)
                    self.later.remove(name_step)
            case _:
                if step[0] == "create":
                    self.files[step[2]] = _File()
                self.later.append(step)

    def left(self, rng: random.Random, drawn: int) -> Iterator[Kept]:
        """Yield what may be left now: the four corners, then so many draws between them."""
        for names in (False, True):
            for content in (False, True):
                chosen = self.later if names else []
                yield self._disk(chosen, {n: _applied(f, None if content else [])
                                          for n, f in self.files.items()})  # fmt: skip
        for _ in range(drawn):
            upto = {f: rng.randint(0, len(self.later)) for f in sorted(map(_folder, self.later))}
            chosen = [s for n, s in enumerate(self.later) if n < upto[_folder(s)]]
            yield self._disk(chosen, {n: _drawn(f, rng) for n, f in self.files.items()})

    def _disk(self, steps: Iterable[Step], content: dict[int, bytes]) -> Kept:
        names = dict(self.sure)
        for step in steps:
            _rename(names, step)
        kept = {
            path: None if number is None else content[number]
            for path, number in names.items()
            if all(str(parent) in names for parent in PurePosixPath(path).parents)
        }
        return tuple(sorted(kept.items()))


def write_disk(kept: Kept, folder: Path) -> None:
    """Write what is left into an empty folder."""
    for path, content in kept:
        place = folder / path.lstrip("/")
        if content is None:
            place.mkdir(exist_ok=True)
        else:
            place.write_bytes(content)


def _folder(step: Step) -> str:
    return str(PurePosixPath(step[-1] if step[0] in {"rename", "link"} else step[1]).parent)


def _rename(names: Names, step: Step) -> None:
    match step:
        case ("create", str(path), int(number)):
            names[path] = number
        case ("mkdir", str(path)):
            names[path] = None
        case ("unlink", str(path)):
            names.pop(path, None)
        case ("rename", str(old), str(new)):
            if old in names:
                names[new] = names.pop(old)
        case ("link", str(old), str(new)):
            if old in names:
                names[new] = names[old]
        case _:
            raise ValueError(step)


def _applied(file: _File, later: Sequence[tuple[int, Any]] | None = None) -> bytes:
    content = bytearray(file.sure)
    for place, written in file.later if later is None else later:
        if written is None:
            del content[place:]
        content.extend(bytes(max(0, place - len(content))))
        if written is not None:
            content[place : place + len(written)] = written
    return bytes(content)


def _drawn(file: _File, rng: random.Random) -> bytes:
    """Apply some of the writes; the last of them may end at a sector."""
    chosen = [each for each in file.later if rng.random() < 0.5]
    if chosen and chosen[-1][1] and rng.random() < 0.5:
        place, written = chosen[-1]
        sectors = len(written or b"") // SECTOR
        chosen[-1] = (place, (written or b"")[: SECTOR * rng.randint(0, sectors)])
    return _applied(file, chosen)
