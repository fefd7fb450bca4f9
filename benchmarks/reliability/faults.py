"""Disks that fail or are full, and memory that is short (B4, B5, B6)."""

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.reliability.observe import observe
from benchmarks.reliability.record import Found
from benchmarks.reliability.scenario import Publisher, Scenario, Stage, differences
from benchmarks.reliability.tracing import Ended, Fault, forked

ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EMFILE, errno.EDQUOT)
TYPED = {0, 65, 66, 69, 73, 75, 78}  # exit codes that say what happened
FULL = 4096  # bytes from one size of disk to the next
ROOM = "size=256m,nr_inodes=0"
MEMORY_STEPS = 200
GROUPS = 20

Limit = Callable[[], None]


def error_points(stage: Stage) -> list[Fault]:
    """Return each error at each change, once and from there on."""
    return [
        Fault(n, "error", code, ever=ever)
        for n in range(len(stage.changes))
        for code in ERRORS
        for ever in (False, True)
    ]


def error_sweep(
    publisher: Publisher, scenario: Scenario, part: tuple[int, int], memory: Path
) -> Found:
    """Let calls fail; each run must say what happened, lose nothing, and heal."""
    began = time.perf_counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(dir=memory) as root:
        stage = Stage(Path(root), publisher, scenario)
        points = error_points(stage)[part[0] :: part[1]]
        for fault in points:
            ended = stage.disturb(fault)
            flaws = _survived(stage, ended) + stage.heal()
            where = (
                f"{scenario.name} {errno.errorcode[fault.code]} {'ever' * fault.ever} {fault.at}"
            )
            wrong += [f"{where} {stage.changes[fault.at]}: {'; '.join(flaws)}"] if flaws else []
    return Found(len(points), tuple(wrong), time.perf_counter() - began)


def _survived(stage: Stage, ended: Ended, *, typed: bool = True) -> list[str]:
    """Return what was wrong with how a run ended and what it left."""
    flaws = []
    if typed and ended.code not in TYPED:
        flaws.append(f"ended with {ended.code}: {ended.said.strip()[-300:]}")
    elif typed and "Traceback" in ended.said:
        flaws.append(f"a traceback: {ended.said.strip()[-300:]}")
    found = observe(stage.place)
    flaws += stage.flaws_on_the_way(found)
    if ended.code == 0:
        flaws += [f"said it was done: {line}" for line in differences(stage.after, found)]
    return flaws


def full_sweep(
    publisher: Publisher, scenario: Scenario, part: tuple[int, int], memory: Path
) -> Found:
    """Publish on disks of many sizes and numbers of files, and with files held to many sizes.

    Disks need the right to mount; where it is missing only files are held to sizes.
    """
    began = time.perf_counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(dir=memory) as root:
        stage = Stage(Path(root), publisher, scenario)
        used = sum(f.stat().st_size for f in stage.place.rglob("*") if f.is_file())
        limits = [("file", size) for size in range(0, used + FULL, 512)]
        if may_mount():
            files = sum(1 for _ in stage.ready.rglob("*")) + 1
            limits += [("disk", FULL * n) for n in range(1, 1001)]
            limits += [("inodes", files + n) for n in range(50)]
        points = limits[part[0] :: part[1]]
        for kind, size in points:
            flaws = _in_small(stage, kind, size)
            wrong += [f"{scenario.name} {kind} {size}: {'; '.join(flaws)}"] if flaws else []
    return Found(len(points), tuple(wrong), time.perf_counter() - began)


def may_mount() -> bool:
    """Return whether this process may mount."""
    with tempfile.TemporaryDirectory() as place:
        told = ["mount", "-t", "tmpfs", "none", place]
        if subprocess.run(told, check=False, capture_output=True).returncode:
            return False
        subprocess.run(["umount", place], check=True)  # noqa: S607
        return True


def _in_small(stage: Stage, kind: str, size: int) -> list[str]:
    if kind == "file":
        stage.reset()
        ended = forked(_limited(stage, resource.RLIMIT_FSIZE, size))
        return _survived(stage, ended) + stage.heal()
    option = f"size={size},nr_inodes=0" if kind == "disk" else f"size=64m,nr_inodes={size}"
    with _mounted(stage.place, option):
        try:
            shutil.copytree(stage.ready, stage.place, dirs_exist_ok=True)
        except (OSError, shutil.Error):
            return []  # there was no such disk: what stands before does not fit
        ended = forked(stage.command)
        flaws = _survived(stage, ended)
        _mount("-o", f"remount,{ROOM}", str(stage.place))
        return flaws + stage.heal()


@contextlib.contextmanager
def _mounted(place: Path, option: str) -> Iterator[None]:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    _mount("-t", "tmpfs", "-o", option, "none", str(place))
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)  # noqa: S607


def _limited(stage: Stage, kind: int, size: int) -> Callable[[], int]:
    def work() -> int:
        resource.setrlimit(kind, (size, size))
        return stage.command()

    return work


def memory_sweep(
    publisher: Publisher, scenario: Scenario, part: tuple[int, int], memory: Path
) -> Found:
    """Publish with little memory; a run may be cut off, but what it leaves must be whole."""
    began = time.perf_counter()
    wrong: list[str] = []
    cut = 0
    with tempfile.TemporaryDirectory(dir=memory) as root:
        stage = Stage(Path(root), publisher, scenario)
        steps = range(MEMORY_STEPS)[part[0] :: part[1]]
        for step in steps:
            stage.reset()
            size = _address_space() + (1 << 20) * step
            ended = forked(_limited(stage, resource.RLIMIT_AS, size))
            cut += ended.code not in TYPED
            flaws = _survived(stage, ended, typed=False) + stage.heal()
            wrong += [f"{scenario.name} {step} MiB: {'; '.join(flaws)}"] if flaws else []
    return Found(len(steps), tuple(wrong), time.perf_counter() - began, {"cut_off": cut})


def group_sweep(
    publisher: Publisher, scenario: Scenario, part: tuple[int, int], memory: Path
) -> Found:
    """Publish in control groups that are too small, so that the kernel kills at any allocation.

    Where this process may not make one nothing is tried.
    """
    began = time.perf_counter()
    wrong: list[str] = []
    killed = 0
    with tempfile.TemporaryDirectory(dir=memory) as root, contextlib.suppress(_NoGroupsError):
        stage = Stage(Path(root), publisher, scenario)
        with _group(None) as group:
            forked(_inside(stage, group))
            peak = int((group / "memory.max_usage_in_bytes").read_text("ascii"))
        steps = range(1, GROUPS + 1)[part[0] :: part[1]]
        for step in steps:
            stage.reset()
            with _group(peak * step // (GROUPS + 2)) as group:
                ended = forked(_inside(stage, group))
            killed += ended.code == -9
            flaws = _survived(stage, ended, typed=False) + stage.heal()
            where = f"{scenario.name} {step}/{GROUPS + 2} of {peak} bytes"
            wrong += [f"{where}: {'; '.join(flaws)}"] if flaws else []
        return Found(
            len(steps), tuple(wrong), time.perf_counter() - began, {"killed_by_kernel": killed}
        )
    return Found(0, (), time.perf_counter() - began)


class _NoGroupsError(Exception):
    """No right to make control groups for memory."""


@contextlib.contextmanager
def _group(limit: int | None) -> Iterator[Path]:
    """Make a control group (version 1) that may hold so many bytes, and take it away again."""
    group = Path(f"/sys/fs/cgroup/memory/indexer-{os.getpid()}")
    try:
        group.mkdir()
    except OSError as error:
        raise _NoGroupsError from error
    try:
        if limit is not None:
            (group / "memory.limit_in_bytes").write_text(str(limit), "ascii")
        yield group
    finally:
        _emptied(group)


def _emptied(group: Path) -> None:
    """Remove a control group; what it held leaves it a little after its processes."""
    for _ in range(100):
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{group} cannot be removed")


def _inside(stage: Stage, group: Path) -> Callable[[], int]:
    def work() -> int:
        (group / "cgroup.procs").write_text(str(os.getpid()), "ascii")
        return stage.command()

    return work


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
