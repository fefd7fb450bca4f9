"""The process around a command: what must be set before numpy is loaded, and done at the end."""

import atexit
import gc
import os
import signal
import sys


def prepare() -> None:
    """Set up this process before numpy is loaded; what the user has set stays.

    A request to end is an interruption like that from a keyboard: what is in hand is left in order.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Nothing here is a large matrix product: a pool of BLAS threads costs 0.1 s of CPU at start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What is imported stays: to look through all of it for garbage, now and then and once more as
    # Python ends, costs a command a fifth of its time.
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)


def flush_output() -> None:
    """Write what is left of standard output, or give it up.

    Raises
    ------
    OSError
        If it cannot be written. Python would try again as it ends, and leave with a code of 120.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
