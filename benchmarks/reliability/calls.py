"""The system calls that change files, by number, and the filter that stops at them alone.

x86-64 Linux: the numbers and the layout of registers are that machine's.
"""

import ctypes
import os
import platform
import struct
from typing import NamedTuple

AVAILABLE = platform.system() == "Linux" and platform.machine() == "x86_64"


class Call(NamedTuple):
    """A system call, and which of its arguments say what file it is about.

    Attributes
    ----------
    file : argument that is an open file, or None
    folder : argument that is the folder a path starts from, or None for the working folder
    path : argument that is a path, or None
    size : argument that is a count of bytes to write, or None
    """

    name: str
    file: int | None = None
    folder: int | None = None
    path: int | None = None
    size: int | None = None


CALLS = {
    1: Call("write", file=0, size=2),
    2: Call("open", path=0),
    18: Call("pwrite64", file=0, size=2),
    20: Call("writev", file=0),
    26: Call("msync"),
    40: Call("sendfile", file=0, size=3),
    74: Call("fsync", file=0),
    75: Call("fdatasync", file=0),
    76: Call("truncate", path=0),
    77: Call("ftruncate", file=0),
    82: Call("rename", path=1),
    83: Call("mkdir", path=0),
    84: Call("rmdir", path=0),
    85: Call("creat", path=0),
    86: Call("link", path=1),
    87: Call("unlink", path=0),
    88: Call("symlink", path=1),
    90: Call("chmod", path=0),
    91: Call("fchmod", file=0),
    92: Call("chown", path=0),
    93: Call("fchown", file=0),
    257: Call("openat", folder=0, path=1),
    258: Call("mkdirat", folder=0, path=1),
    260: Call("fchownat", folder=0, path=1),
    263: Call("unlinkat", folder=0, path=1),
    264: Call("renameat", folder=2, path=3),
    265: Call("linkat", folder=2, path=3),
    266: Call("symlinkat", folder=1, path=2),
    268: Call("fchmodat", folder=0, path=1),
    285: Call("fallocate", file=0),
    296: Call("pwritev", file=0),
    316: Call("renameat2", folder=2, path=3),
    326: Call("copy_file_range", file=2),
    328: Call("pwritev2", file=0),
}
OPENING = {
    2: 1,
    257: 2,
}  # calls that change files only by these of their flags, and where those are
CHANGING = os.O_CREAT | os.O_TRUNC

_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARGUMENTS = 0, 16  # offsets in what a filter is shown
_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER_MODE = 38, 22, 2

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def stop_at_changes(*, opening: bool = False) -> None:
    """Let this process, and what it starts, stop for its tracer before every change of files.

    Parameters
    ----------
    opening : also before a file is opened for reading
    """
    program = _program(opening)
    told = _Program(len(program) // 8, program)
    for arguments in (
        (_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (_SET_FILTER, _FILTER_MODE, ctypes.byref(told), 0, 0),
    ):
        if _libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


def _program(opening: bool) -> bytes:
    """Return the filter: load the number, compare it with each, look at the flags of opening."""
    lines = [(_LOAD, 0, 0, _NUMBER)]
    for number in CALLS:
        if number in OPENING and not opening:
            lines += [
                (_EQUAL, 0, 4, number),
                (_LOAD, 0, 0, _ARGUMENTS + 8 * OPENING[number]),
                (_ANY_BIT, 0, 1, CHANGING),
                (_RETURN, 0, 0, _TRACE),
                (_RETURN, 0, 0, _ALLOW),
            ]
        else:
            lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _TRACE)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)
