"""The process around a command: settings that must stand before numpy and numba are loaded."""

import atexit
import os
import shutil
import stat
import tempfile
from pathlib import Path

import platformdirs


def prepare() -> None:
    """Set up this process before numpy and numba are loaded; what the user has set stays."""
    # Nothing here is a large matrix product: a pool of BLAS threads costs 0.1 s of CPU at start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if "NUMBA_CACHE_DIR" not in os.environ:
        os.environ["NUMBA_CACHE_DIR"] = str(_kernel_cache())


def _kernel_cache() -> Path:
    """Return a folder for compiled kernels that is this user's alone.

    numba's cache is pickle: whoever can write to it can run code here. Where the user's cache
    folder cannot be had privately, a new folder serves for this process and is removed with it.
    """
    folder = platformdirs.user_cache_path("indexer") / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if private and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid()):
            return folder
    except OSError:
        pass
    alone = Path(tempfile.mkdtemp(prefix="indexer-"))
    atexit.register(shutil.rmtree, alone, ignore_errors=True)
    return alone
