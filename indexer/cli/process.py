"""The process around a command: settings that must stand before numpy is loaded."""

import os


def prepare() -> None:
    """Set up this process before numpy is loaded; what the user has set stays."""
    # Nothing here is a large matrix product: a pool of BLAS threads costs 0.1 s of CPU at start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
