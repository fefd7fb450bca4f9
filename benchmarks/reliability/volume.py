"""A file system in user space that passes everything on to a folder and writes down what changed.

``python -m benchmarks.reliability.volume FOLDER MOUNT LOG``
"""

# The binding has no types of its own.
# mypy: disable-error-code="import-untyped"

import base64
import ctypes.util
import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Step = tuple[Any, ...]
"""What was done, to which file (by number) or path, and with what."""


def available() -> str:
    """Return why no such file system can be mounted here; empty where it can."""
    if not os.access("/dev/fuse", os.W_OK):
        return "no /dev/fuse to write to"
    if ctypes.util.find_library("fuse") is None:
        return "no libfuse 2"
    try:
        import fuse  # noqa: F401 (optional)
    except (ImportError, OSError) as error:
        return str(error)
    return ""


@contextmanager
def recorded(folder: Path, mount: Path, log: Path) -> Iterator[None]:
    """Show a folder at another place and write down the changes made there.

    Raises
    ------
    RuntimeError
        If nothing is mounted in time.
    """
    words = [sys.executable, "-m", "benchmarks.reliability.volume", folder, mount, log]
    process = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(500):
            if mount.is_mount() or process.poll() is not None:
                break
            time.sleep(0.01)
        if not mount.is_mount():
            process.kill()
            raise RuntimeError(f"nothing was mounted: {process.communicate()[1][-500:]}")
        yield
    finally:
        if mount.is_mount():
            subprocess.run(["umount", str(mount)], check=True)  # noqa: S607
        process.wait(10)


def steps(log: Path) -> list[Step]:
    """Return what was written down."""
    return [_read(line) for line in log.read_text("ascii").splitlines()]


def _read(line: str) -> Step:
    told = json.loads(line)
    if told[0] == "write":
        told[3] = base64.b64decode(told[3])
    return tuple(told)


class Recorder:
    """The operations, by the names the library calls them by; files are numbered by path.

    What is not here is not supported, and the caller is told so.
    """

    def __init__(self, folder: str, log: str) -> None:
        self.folder = folder
        self.log = open(log, "a", encoding="ascii")  # noqa: SIM115 (as long as the process)
        self.numbers: dict[str, int] = {}
        self.opened: dict[int, int] = {}
        for path in sorted(Path(folder).rglob("*")):
            self.numbers["/" + str(path.relative_to(folder))] = len(self.numbers)
        self.next = len(self.numbers)

    def __call__(self, name: str, path: str, *arguments: Any) -> Any:
        """Do an operation; what the system refuses, the caller is refused."""
        method = getattr(self, name, None)
        if method is None:
            raise OSError(errno.ENOSYS, name)
        return method(path, *arguments)

    def tell(self, *step: Any) -> None:
        """Write down a change."""
        self.log.write(json.dumps(step) + "\n")
        self.log.flush()

    def below(self, path: str) -> str:
        """Return where a path is in the folder."""
        return self.folder + path

    def init(self, path: str) -> None:
        """Begin."""

    def destroy(self, path: str) -> None:
        """End."""
        self.log.close()

    def getattr(self, path: str, file: int | None = None) -> dict[str, Any]:
        """Return what is known of a file."""
        found = os.lstat(self.below(path))
        names = "st_atime st_ctime st_mtime st_gid st_uid st_mode st_nlink st_size"
        return {name: getattr(found, name) for name in names.split()}

    def statfs(self, path: str) -> dict[str, int]:
        """Return the room there is."""
        found = os.statvfs(self.below(path))
        names = "f_bavail f_bfree f_blocks f_bsize f_favail f_ffree f_files f_frsize f_namemax"
        return {name: getattr(found, name) for name in names.split()}

    def access(self, path: str, mode: int) -> int:
        """Let everything be reached that is there."""
        os.lstat(self.below(path))
        return 0

    def opendir(self, path: str) -> int:
        """Open a folder."""
        return 0

    def releasedir(self, path: str, file: int) -> int:
        """Close a folder."""
        return 0

    def readdir(self, path: str, file: int) -> list[str]:
        """Return the names in a folder."""
        return [".", "..", *os.listdir(self.below(path))]

    def open(self, path: str, flags: int) -> int:
        """Open a file that exists."""
        file = os.open(self.below(path), flags & ~os.O_APPEND)
        self.opened[file] = self.numbers[path]
        if flags & os.O_TRUNC:
            self.tell("truncate", self.numbers[path], 0)
        return file

    def create(self, path: str, mode: int, _: Any = None) -> int:
        """Make a file."""
        file = os.open(self.below(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)
        self.opened[file] = self.numbers[path] = self.next
        self.next += 1
        self.tell("create", path, self.numbers[path])
        return file

    def read(self, path: str, size: int, offset: int, file: int) -> bytes:
        """Return bytes of a file."""
        return os.pread(file, size, offset)

    def write(self, path: str, content: bytes, offset: int, file: int) -> int:
        """Write bytes into a file."""
        size = os.pwrite(file, content, offset)
        content = base64.b64encode(content[:size]).decode()  # type: ignore[assignment]
        self.tell("write", self.opened[file], offset, content)
        return size

    def truncate(self, path: str, size: int, file: int | None = None) -> int:
        """Set the size of a file."""
        os.truncate(self.below(path), size)
        self.tell("truncate", self.numbers[path], size)
        return 0

    def flush(self, path: str, file: int) -> int:
        """Let a file be closed: that makes nothing durable."""
        return 0

    def release(self, path: str, file: int) -> int:
        """Close a file."""
        os.close(file)
        self.opened.pop(file)
        return 0

    def fsync(self, path: str, data_only: int, file: int) -> int:
        """Make a file's content durable."""
        self.tell("fsync", self.opened[file])
        return 0

    def fsyncdir(self, path: str, data_only: int, file: int) -> int:
        """Make the names in a folder durable."""
        self.tell("fsyncdir", path)
        return 0

    def rename(self, old: str, new: str) -> int:
        """Give a file another name."""
        os.rename(self.below(old), self.below(new))
        self.numbers[new] = self.numbers.pop(old)
        self.tell("rename", old, new)
        return 0

    def link(self, new: str, old: str) -> int:
        """Give a file a second name."""
        os.link(self.below(old), self.below(new))
        self.numbers[new] = self.numbers[old]
        self.tell("link", old, new)
        return 0

    def unlink(self, path: str) -> int:
        """Take a name away."""
        os.unlink(self.below(path))
        self.numbers.pop(path)
        self.tell("unlink", path)
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        """Make a folder."""
        os.mkdir(self.below(path), mode)
        self.tell("mkdir", path)
        return 0

    def rmdir(self, path: str) -> int:
        """Take a folder away."""
        os.rmdir(self.below(path))
        self.tell("unlink", path)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        """Set the mode of a file, which is not followed."""
        os.chmod(self.below(path), mode)
        return 0

    def chown(self, path: str, user: int, group: int) -> int:
        """Leave the owner."""
        return 0

    def utimens(self, path: str, times: tuple[float, float] | None = None) -> int:
        """Set the times of a file, which are not followed."""
        os.utime(self.below(path), times)
        return 0


if __name__ == "__main__":
    from fuse import FUSE

    FUSE(Recorder(*(sys.argv[n] for n in (1, 3))), sys.argv[2], foreground=True, nothreads=True)
