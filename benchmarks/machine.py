"""The machine the figures are of: what it is, and how fast it copies, stores and multiplies."""

import importlib.metadata
import os
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np

VERSIONS = (
    *("numpy", "numba", "llvmlite", "polars", "pandas", "numbagg", "bottleneck", "scipy"),
    *("bt", "vectorbt", "pyarrow"),
)
_SIDE = 768  # of the matrices whose product tells the rate of multiplications: fits a cache


def described() -> dict[str, object]:
    """Return the processor, its cores, the system, and the versions of what is measured."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in VERSIONS if (version := _version(name))},
    }


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def limit(kind: str, count: int) -> tuple[Callable[[], object], float]:
    """Return what exercises a limit of the machine, and the factor to so much of it.

    Parameters
    ----------
    kind : ``store`` or ``copy`` so many doubles into memory that is there already, or so many
        multiplications with addition, ``FMA``, as fast as numpy's matrix product does them
    """
    if kind == "FMA":
        a = np.full((_SIDE, _SIDE), 0.5)
        out = np.zeros_like(a)
        return lambda: np.matmul(a, a, out=out), count / _SIDE**3
    target = np.zeros(count)
    if kind == "store":
        return lambda: target.fill(1.0), 1.0
    source = np.ones(count)
    return lambda: np.copyto(target, source), 1.0


def reset_peak() -> float | None:
    """Forget the peak memory of this process and return what it holds now, MiB; None if unknown."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    return peak()


def peak() -> float | None:
    """Return the peak memory of this process since it was last forgotten, MiB; None if unknown."""
    told = Path("/proc/self/status")
    if not told.is_file():
        return None
    lines = told.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
