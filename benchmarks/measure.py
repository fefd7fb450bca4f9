"""CPU time and peak memory of whole processes, as the operating system accounts for them."""

import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) over several processes, and the largest peak memory."""

    runs: int
    cpu_minimum: float
    cpu_median: float
    peak_mib: float


def process_cost(
    command: Sequence[str], *, runs: int, folder: str, environment: Mapping[str, str]
) -> Cost:
    """Run a command several times in a folder and return what it cost.

    Raises
    ------
    CalledProcessError
        If a run fails: the cost of a failure is no figure.
    """
    seconds, peaks = [], []
    for _ in range(runs):
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, list(command))
        seconds.append(usage.ru_utime + usage.ru_stime)
        peaks.append(usage.ru_maxrss / 1024)
    return Cost(runs, min(seconds), statistics.median(seconds), max(peaks))
