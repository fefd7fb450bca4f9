"""What is measured: commands, with their bounds in seconds of CPU."""

import sys
from dataclasses import dataclass
from pathlib import Path

INDEXER = (sys.executable, "-m", "indexer.cli.app")


@dataclass(frozen=True, slots=True)
class Case:
    """One command, and the CPU time it may take at most; None where there is no bound."""

    name: str
    command: tuple[str, ...]
    bound: float | None
    cold: bool = False  # with an empty cache of compiled kernels


def cases(folder: Path) -> list[Case]:
    """Return the cases; files they read are written into the folder."""
    large = folder / "large.yaml"
    large.write_text(_large_basket(5000), encoding="utf-8")
    read = (
        "from indexer.definitions.read import read_basket; import time; t = time.process_time(); "
        f"read_basket({str(large)!r}); assert time.process_time() - t <= 0.4"
    )
    return [
        Case("import indexer", (sys.executable, "-c", "import indexer"), 0.15),
        Case("indexer --help", (*INDEXER, "--help"), 0.15),
        Case("read 5,000 members", (sys.executable, "-c", read), None),
        Case("indexer run, first", (*INDEXER, "run"), None, cold=True),
        Case("indexer run, warm", (*INDEXER, "run"), 1.5),
    ]


def _large_basket(members: int) -> str:
    head = (
        "version: 1\nid: large\nname: {en: Large}\ncurrency: CNY\ncalendar: XSHG\n"
        "base: {date: 2024-01-02, level: 1000}\nweighting: {scheme: equal}\nconstituents:\n"
    )
    rows = (
        f"  - {{symbol: {n:06d}.SZ, name: 中际旭创, segment: optical-module, from: 2024-01-02}}\n"
        for n in range(members)
    )
    return head + "".join(rows)
