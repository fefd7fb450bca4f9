"""The server that is judged: the command itself, on a ledger of its own, watched from outside."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability import shown
from benchmarks.reliability.record import ROOT
from indexer.ledger.database import SCHEMA

SESSIONS = 2500  # ten years
PAGE = 4096  # bytes, of the system's memory
_ANSWERING = re.compile(r"answering at http://127.0.0.1:(\d+)/\n")
COMMAND = (sys.executable, "-c", "from indexer.cli.app import main; main()")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    port: int
    ledger: Path

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    @property
    def seconds(self) -> float:
        """Seconds of processor time it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def digest(self) -> str:
        """Return the SHA-256 of the ledger's file."""
        return hashlib.sha256(self.ledger.read_bytes()).hexdigest()


def kept_ledger(place: Path, sessions: int = SESSIONS) -> Path:
    """Return a ledger of so many sessions, written once for all who look at it."""
    path = place / f"shown-{SCHEMA}-{sessions}.db"
    if not path.exists():
        fresh = place / f"shown-{SCHEMA}-{sessions}-{os.getpid()}.db"
        shown.write(fresh, sessions).dispose()
        fresh.replace(path)
        fresh.with_name(f"{fresh.name}.lock").unlink(missing_ok=True)
    return path


@contextlib.contextmanager
def served(folder: Path, ledger: Path) -> Iterator[Served]:
    """Run the command on a copy of a ledger; what it says goes to a file, whoever reads it.

    Raises
    ------
    RuntimeError
        If it ends instead of saying where it answers.
    """
    own, said = folder / "ledger.db", folder / "said"
    shutil.copy2(ledger, own)
    words = ("serve", "--port", "0", "--ledger", f"sqlite:///{own}")
    with said.open("w") as log:
        process = subprocess.Popen([*COMMAND, *words], stderr=log, cwd=ROOT)
    try:
        while (found := _ANSWERING.search(said.read_text())) is None:
            if process.poll() is not None:
                raise RuntimeError(f"the server did not begin: {said.read_text()}")
            time.sleep(0.02)
        yield Served(process, int(found[1]), own)
    finally:
        process.terminate()
        process.wait(timeout=30)
