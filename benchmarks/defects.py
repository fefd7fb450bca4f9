"""Ten defects planted by name, each of which the tests must find (B19).

They are what would hurt whoever relies on a published level, and what no exchange of one operator
for another plants.
"""

import time
from dataclasses import dataclass
from typing import Any

from benchmarks.mutants import JOURNALS, TESTED, check_sound, copied, survives
from benchmarks.reliability.campaign import Campaign, run
from benchmarks.reliability.record import Found


@dataclass(frozen=True, slots=True)
class Defect:
    """One passage of the code, and what stands in its place.

    Attributes
    ----------
    layer : of `benchmarks.mutants.LAYERS`, whose tests must find it
    path : of the module
    sound, defective : the passage, which is there once, as it is and as it is planted
    """

    layer: str
    path: str
    sound: str
    defective: str


DEFECTS = {
    "links of the chain are not compared": Defect(
        "ledger",
        "indexer/ledger/verify.py",
        "if entry.previous != previous:",
        "if not entry.previous:",
    ),
    "as known at goes by the session": Defect(
        "ledger",
        "indexer/ledger/heads.py",
        '_later.c.published_at <= sa.bindparam("known_at")',
        '_later.c.session <= sa.bindparam("known_at")',
    ),
    "rows can be deleted": Defect(
        "ledger",
        "indexer/ledger/migrations/versions/ledger_0001.py",
        '[("UPDATE", "no_update", ""), ("DELETE", "no_delete", "")]',
        '[("UPDATE", "no_update", "")]',
    ),
    "yesterday's level is published as today's": Defect(
        "publish",
        "indexer/run/entries.py",
        "return at if at < len(self.days) and self.days[at] == day else None",
        "return min(at, len(self.days) - 1)",
    ),
    "a close is final at the closing bell": Defect(
        "publish",
        "indexer/market/conventions/finality.py",
        "return close.replace(tzinfo=UTC) + margin",
        "return close.replace(tzinfo=UTC)",
    ),
    "levels have fifteen digits": Defect(
        "publish",
        "indexer/run/entries.py",
        "exact = float(level[at])",
        'exact = float(f"{level[at]:.15g}")',
    ),
    "corrections pass no gate": Defect(
        "publish",
        "indexer/run/publish.py",
        "gate(again) if again else ()",
        "()",
    ),
    "shortened sessions close as all others do": Defect(
        "calendar",
        "indexer/market/calendar.py",
        "_CLOSED if close is None else _after_midnight(close)",
        "_CLOSED if close is None else _after_midnight(listing.close)",
    ),
    "clocks are never put forward": Defect(
        "calendar",
        "indexer/market/calendar.py",
        "[offset(at).total_seconds() for at in local.tolist()]",
        "[offset(datetime(2000, 1, 1)).total_seconds() for at in local.tolist()]",
    ),
    "of two prices that conflict the first is taken": Defect(
        "validator",
        "indexer/market/checks.py",
        "flaws.extend(self._conflicts(frame, file))",
        "pass",
    ),
}


def measure(names: tuple[str, ...], processes: int) -> dict[str, Any]:
    """Plant defects, each in a copy of the project, and return what is kept of them.

    Raises
    ------
    SystemExit
        If tests fail with nothing planted.
    """
    for layer in dict.fromkeys(DEFECTS[name].layer for name in names):
        check_sound(layer)
    title = "defects planted by name"
    return run(Campaign("B19-named", title, names, judged, code=TESTED), JOURNALS, processes)


def judged(name: str) -> Found:
    """Plant one defect; wrong is one that the tests of its layer do not find."""
    began, defect = time.monotonic(), DEFECTS[name]
    with copied() as copy:
        module = copy / defect.path
        text = module.read_text("utf-8")
        module.write_text(text.replace(defect.sound, defect.defective), encoding="utf-8")
        missed = survives(copy, defect.layer, defect.path)
    return Found(1, (name,) if missed else (), time.monotonic() - began)
