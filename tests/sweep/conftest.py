"""Sweeps of the bundled sample, and a Dask cluster of real processes on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.run.find import BUNDLED_MARKET
from indexer.sweep.processes import Workers
from indexer.sweep.sweep import Swept, sweep

GRID = (
    "{catch_up.enter: [0.5, 1.0, 1.5, 2.0], windows.zscore: [60, 120], catch_up.turn: [0.5, 1.0]}"
)
HEAD = "version: 1\nid: grid\n"


def written(folder: Path, text: str = f"study: compute-diffusion\nvary: {GRID}\n") -> Path:
    """Return the file of a sweep with this text below its head."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "grid.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def swept(file: Path, out: Path, workers: Workers = Workers(), **how: object) -> Swept:  # noqa: B008
    """Run a sweep on the bundled market."""
    market = how.get("market", BUNDLED_MARKET)
    tell = how.get("tell", lambda *_: None)
    return sweep(str(file), market, (out, "csv"), workers, tell)  # type: ignore[arg-type]


def content(out: Path) -> dict[str, bytes]:
    """Return every file below a folder, by name."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """Return the file of a sweep, and what it writes when one process does it alone."""
    folder = tmp_path_factory.mktemp("grid")
    file = written(folder)
    swept(file, folder / "alone")
    return file, content(folder / "alone")


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        environment["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "5s"
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *command],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def scheduler(self) -> subprocess.Popen[bytes]:
        """Start a scheduler."""
        where = ("--host", "127.0.0.1", "--port", str(self.port))
        return self._start("distributed.cli.dask_scheduler", *where, "--no-dashboard")

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker with one thread."""
        own = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder))
        return self._start("distributed.cli.dask_worker", self.address, *own, *options)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process and all it started, without warning."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Kill what is left."""
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Return a cluster that has no process yet; skip where dask is absent."""
    pytest.importorskip("distributed")
    found = Cluster(tmp_path)
    yield found
    found.end()


def once(done: int, act: Callable[[], None]) -> Callable[[int, int], None]:
    """Return what acts once as soon as so many variants are done."""
    acted: list[bool] = []

    def tell(count: int, _: int) -> None:
        if count >= done and not acted:
            acted.append(True)
            act()

    return tell


def copied_market(folder: Path) -> Path:
    """Return a copy of the bundled market."""
    return Path(shutil.copytree(BUNDLED_MARKET, folder / "market"))
