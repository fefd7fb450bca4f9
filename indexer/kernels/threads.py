"""Work shared out among threads: pieces that have nothing in common, so that no bit rests on it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def share(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Do work on ``count`` pieces, one stretch of them, from one piece to another, per thread."""
    bounds = [count * n // threads for n in range(threads + 1)]
    if threads == 1:
        work(*bounds)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, bounds[:-1], bounds[1:]))
