"""The kernels' door to numba: how bodies are compiled, and where compiled ones are kept.

numba keeps compiled kernels as pickle: whoever can write to them can run code here. They are kept
in a folder that is this user's alone; without one they are compiled in every process.
"""

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import config as numba_config
from numba import njit
from numba.core.caching import FunctionCache, NullCache

from indexer.digest import digest_bytes
from indexer.folders import cache_folder, private_folder

config: Any = numba_config  # its attributes are made at run time
_log = logging.getLogger(__name__)


def compiled(**options: Any) -> Callable[[Callable[..., None]], Any]:
    """Return a decorator that compiles the body of a kernel when it is first called.

    Division by zero gives infinity or NaN, as in numpy, instead of an error.

    Parameters
    ----------
    options : further options of `numba.njit`, without ``cache``
    """

    def decorate(body: Callable[..., None]) -> Any:
        kernel = njit(error_model="numpy", **options)(body)
        if not config.DISABLE_JIT:
            kernel._cache = _KernelCache(body)  # as `enable_caching` does
        return kernel

    return decorate


class _KernelCache(NullCache):
    """What numba asks for a compiled kernel: one that is damaged, or cannot be kept, is no error.

    numba's own cache ends the program on a file that was cut short, and on a full disk.
    """

    def __init__(self, body: Callable[..., None]) -> None:
        self._kept = _cache_in(_kernel_folder(), body)

    @property
    def cache_path(self) -> str | None:
        """The folder this kernel is kept in; None where it is not kept."""
        path: str | None = self._kept.cache_path
        return path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kernel kept for a signature; None, after saying so, where there is none."""
        try:
            found = self._kept.load_overload(sig, target_context)
        except Exception:  # noqa: BLE001 (a damaged pickle can raise anything)
            found = None
            self.flush()  # saving would read the index again
        if found is None:
            _announce()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the kernel compiled for a signature where that is possible."""
        try:
            self._kept.save_overload(sig, data)
        except OSError as error:
            _log.debug("a compiled kernel is not kept: %s", error)

    def flush(self) -> None:
        """Forget every signature of this kernel."""
        try:
            self._kept.flush()
        except OSError as error:
            self._kept = NullCache()
            _log.debug("compiled kernels are not kept: %s", error)


@cache
def _kernel_folder() -> Path | None:
    """Return the folder to keep kernels in: below what the user has set for numba, else ours.

    It goes by the text of all kernels: numba does not see that a kernel calls one of another
    module that has changed, and an index saved before its kernel may name that of an older text.
    """
    if config.CACHE_DIR:
        top = private_folder(Path(config.CACHE_DIR).absolute() / "indexer")
    else:
        top = cache_folder("kernels")
    texts = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return private_folder(top / digest_bytes(texts)[:16]) if top else None


def _cache_in(folder: Path | None, body: Callable[..., None]) -> Any:
    """Return numba's cache of a kernel in a folder and nowhere else, empty where it has none."""
    if folder is None:
        return NullCache()
    before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
    config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(folder), "UserProvidedCacheLocator"
    try:
        return FunctionCache(body)
    except RuntimeError:  # it cannot be written to
        return NullCache()
    finally:  # other people's kernels are kept where they were
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before


@cache
def _announce() -> None:
    """Say, once a process, that kernels are being compiled: it takes seconds."""
    if _kernel_folder() is not None:
        _log.info("compiling kernels, once on this machine …")
    elif config.CACHE_DIR:
        place = f"NUMBA_CACHE_DIR {config.CACHE_DIR} is not this user's alone"
        _log.info("compiling kernels, in every run: %s …", place)
    else:
        _log.info("compiling kernels, in every run: there is no private folder to keep them in …")
