"""Run a piece of work in a forked process that stops before every change it makes to files.

There the process can be killed, be told of an error, or be killed half-way through a write. The
filter of `calls` stops it at such calls alone, so a run costs little more than without.
"""

import ctypes
import errno
import fcntl
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.reliability.calls import CALLS, Call, stop_at_changes

Act = Literal["kill", "half", "error"]
PATIENCE = 60  # seconds after which a run has hung

_TRACE_ME, _CONTINUE, _GET, _SET, _TO_EXIT, _OPTIONS = 0, 7, 12, 13, 24, 0x4200
_SECCOMP = 7  # the event
_FOLLOW = 0x1 | 0x2 | 0x4 | 0x8 | 0x80 | 0x100000  # children, threads, seccomp; killed with us
_ANY_CHILD = 0x40000000
_PATH_MAX = 4096

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long

_NAMES = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
    "fs_base gs_base ds es fs gs"
)


class _Registers(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_ulonglong) for name in _NAMES.split())


_ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at the n-th change (counted from 0), once or at every one from there on.

    Attributes
    ----------
    act : ``kill`` before it; ``half``: kill after half of a write; ``error``: fail with ``code``
    """

    at: int
    act: Act
    code: int = 0
    ever: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One call that changes files below the watched folder: its name, the file, bytes to write."""

    name: str
    path: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code (minus the signal that killed it), and what it said."""

    code: int
    said: str
    changes: tuple[Change, ...] = ()
    cpu_seconds: float = 0.0


def traced(
    work: Callable[[], int],
    folder: Path,
    fault: Fault | None = None,
    *,
    opening: bool = False,
    look: Callable[[Change], None] = lambda _: None,
) -> Ended:
    """Run work in a fork and count, or disturb, the changes it makes below a folder.

    This process must have no thread of its own: a fork has only the one that forked.

    Parameters
    ----------
    work : returns the exit code
    opening : count the opening of files for reading as well
    look : called at each change, before it is made
    """
    reader, writer = _pipe()
    pid = os.fork()
    if not pid:
        _child(work, writer, opening)
    os.close(writer)
    os.waitpid(pid, 0)
    _ptrace(_OPTIONS, pid, _FOLLOW)
    _ptrace(_CONTINUE, pid, 0)
    watch = _Watch(pid, str(folder), fault, look)
    code = _follow(watch)
    return Ended(code, _read(reader), tuple(watch.changes))


def forked(work: Callable[[], int], killed_after: float | None = None) -> Ended:
    """Run work in a fork, undisturbed, or kill it after so many seconds of wall time."""
    reader, writer = _pipe()
    pid = os.fork()
    if not pid:
        _leave(work, writer)
    os.close(writer)
    if killed_after is not None:
        time.sleep(killed_after)
        os.kill(pid, signal.SIGKILL)  # it is not reaped yet: nobody else can have its number
    _, status, usage = os.wait4(pid, 0)
    spent = usage.ru_utime + usage.ru_stime
    return Ended(os.waitstatus_to_exitcode(status), _read(reader), cpu_seconds=spent)


def _pipe() -> tuple[int, int]:
    """Return a pipe for what a run says: no file, so that no limit on those touches it."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
    return reader, writer


def _read(reader: int) -> str:
    os.set_blocking(reader, False)
    with os.fdopen(reader, "rb") as stream:
        return (stream.read() or b"").decode(errors="replace")


def _child(work: Callable[[], int], told: int, opening: bool) -> None:
    _ptrace(_TRACE_ME, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)

    def filtered() -> int:
        stop_at_changes(opening=opening)
        return work()

    _leave(filtered, told)


def _leave(work: Callable[[], int], told: int) -> None:
    """Do the work and leave without the clean-up that belongs to the parent."""
    code = 70
    try:
        os.dup2(told, 1)
        os.dup2(told, 2)
        signal.alarm(PATIENCE)
        code = work()
    except BaseException:  # noqa: BLE001 (a fork must never return into its parent's code)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass(frozen=True, slots=True)
class _Watch:
    pid: int
    folder: str
    fault: Fault | None
    look: Callable[[Change], None]
    changes: list[Change] = field(default_factory=list)


def _follow(watch: _Watch) -> int:
    while True:
        thread, status = os.waitpid(-1, _ANY_CHILD)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if thread == watch.pid:
                return os.waitstatus_to_exitcode(status)
            continue
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == _SECCOMP:
            _ptrace(_at_change(thread, watch), thread, 0)
        elif number == signal.SIGTRAP | 0x80:  # half of a write is done
            os.kill(watch.pid, signal.SIGKILL)
        else:
            quiet = event or number in {signal.SIGSTOP, signal.SIGTRAP}
            _ptrace(_CONTINUE, thread, 0 if quiet else number)


def _at_change(thread: int, watch: _Watch) -> int:
    """Count a change of files below the folder, disturb it if it is its turn; say how to go on."""
    registers = _Registers()
    _ptrace(_GET, thread, ctypes.addressof(registers))
    call = CALLS[registers.orig_rax]
    path = _path(thread, call, registers)
    if path != watch.folder and not path.startswith(f"{watch.folder}/"):
        return _CONTINUE
    size = 0 if call.size is None else getattr(registers, _ARGUMENTS[call.size])
    change = Change(call.name, path.removeprefix(watch.folder).lstrip("/"), size)
    watch.look(change)
    watch.changes.append(change)
    n, fault = len(watch.changes) - 1, watch.fault
    if fault is None or n < fault.at or (n > fault.at and not fault.ever):
        return _CONTINUE
    if fault.act == "error":
        registers.orig_rax = (1 << 64) - 1  # no call
        registers.rax = (1 << 64) - fault.code
        _ptrace(_SET, thread, ctypes.addressof(registers))
    elif fault.act == "half" and call.size is not None and size > 1:
        setattr(registers, _ARGUMENTS[call.size], size // 2)
        _ptrace(_SET, thread, ctypes.addressof(registers))
        return _TO_EXIT
    else:
        os.kill(watch.pid, signal.SIGKILL)
    return _CONTINUE


def _path(thread: int, call: Call, registers: _Registers) -> str:
    """Return the path a call is about, without resolving links."""
    if call.file is not None:
        return _opened(thread, getattr(registers, _ARGUMENTS[call.file]))
    if call.path is None:
        return ""
    path = _text(thread, getattr(registers, _ARGUMENTS[call.path]))
    if path.startswith("/"):
        return os.path.normpath(path)
    start = "cwd"
    if call.folder is not None:
        number = ctypes.c_int(getattr(registers, _ARGUMENTS[call.folder])).value
        start = "cwd" if number < 0 else f"fd/{number}"
    return os.path.normpath(os.path.join(os.readlink(f"/proc/{thread}/{start}"), path))


def _opened(thread: int, number: int) -> str:
    try:
        return os.readlink(f"/proc/{thread}/fd/{ctypes.c_int(number).value}")
    except OSError:
        return ""


def _text(thread: int, address: int) -> str:
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        found = b""
        while b"\0" not in found and len(found) < _PATH_MAX:
            memory.seek(address + len(found))
            found += memory.read(256 - (address + len(found)) % 256)
    return os.fsdecode(found.split(b"\0")[0])


def _ptrace(request: int, pid: int, argument: int) -> None:
    ctypes.set_errno(0)
    if _libc.ptrace(request, pid, None, argument) == -1 and (code := ctypes.get_errno()):
        if code == errno.ESRCH:  # killed meanwhile: the next wait tells
            return
        raise OSError(code, f"ptrace {request}")
