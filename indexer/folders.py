"""What is there, folders that are held while they are written to, and those of this user alone.

Whoever can write to such a folder decides what the next run computes, or, where compiled code is
kept in it, what it executes. So it is trusted only where nobody else can have put anything there.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import platformdirs

from indexer.errors import Flaw, MissingInputError

try:
    import fcntl
except ImportError:  # not on Windows: there processes that write at once do not take turns
    fcntl = None  # type: ignore[assignment]

TEMPORARY = ".indexer-tmp"  # how the name of a file ends while it is written


def is_file(path: Path) -> bool:
    """Return whether a file is there, as `is_there`."""
    return is_there(path) and path.is_file()


def is_folder(path: Path) -> bool:
    """Return whether a folder is there, as `is_there`."""
    return is_there(path) and path.is_dir()


def is_there(path: Path) -> bool:
    """Return whether there is anything of a name.

    Raises
    ------
    MissingInputError
        If that cannot be told: in a folder one may not enter, of a name too long or with a null
        character, of links that lead in circles.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # ValueError: of a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise MissingInputError([Flaw(str(path), None, "", reason)]) from None
    return True


def read_file(path: Path) -> bytes:
    """Return the content of a file; a pipe in its place is not waited for.

    Raises
    ------
    OSError
        If it cannot be read, or is no file: nobody may ever write to a pipe, and a device has no
        end.
    """
    with open(path, "rb", opener=_at_once) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "is no file", str(path))
        return stream.read()


@contextmanager
def whole_file(path: Path, *, durable: bool) -> Iterator[BinaryIO]:
    """Give a stream for what a file will hold; the file has its name once all of that is written.

    Parameters
    ----------
    durable : whether it is on disk by then: a power cut would leave a name without content

    Raises
    ------
    OSError
        If it cannot be written; what was there before stays.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    half.unlink(missing_ok=True)
    try:
        with half.open("xb") as stream:  # never through a link somebody has put there
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        half.replace(path)
    except BaseException:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise


def _at_once(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # there is none on Windows


def cache_folder(name: str) -> Path | None:
    """Return a private folder below this user's cache folder; None where it cannot be had."""
    return private_folder(platformdirs.user_cache_path("indexer") / name)


def private_folder(folder: Path) -> Path | None:
    """Return a folder, made where it is missing, that nobody else can read, write or replace.

    Returns
    -------
    The folder with symbolic links on the way to it resolved. None where it cannot be made or
    written to, is a symbolic link itself, belongs to someone else or is open to anyone else
    (mode 0700 is asked for), or lies where anyone may move it away.
    """
    if not folder.is_absolute():  # as where there is no home: never the working folder
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.parent.resolve(strict=True) / folder.name
        found = folder.lstat()
        above = [parent.stat().st_mode for parent in folder.parents]
    except (OSError, RuntimeError):  # the latter of links that lead in circles
        return None
    if not stat.S_ISDIR(found.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
        return None
    if not hasattr(os, "geteuid"):  # no such modes: the user's profile is private by its place
        return folder
    movable = any(mode & stat.S_IWOTH and not mode & stat.S_ISVTX for mode in above)
    closed = not found.st_mode & 0o077 and found.st_uid == os.geteuid()
    return folder if closed and not movable else None


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Hold a folder while writing below it; released by the system if the process dies.

    Raises
    ------
    OSError
        If it cannot be opened or locked.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
