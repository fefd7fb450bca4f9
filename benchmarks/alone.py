"""What akshare by itself makes of the replies that are faulted."""

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.ground import Ground
from benchmarks.standin.faults import KINDS, Fault

# akshare is imported once; each question has a process forked from there, and an end.
_ALONE = """
import json, os, signal, sys, warnings
warnings.simplefilter("ignore")
import akshare
for line in sys.stdin:
    read, write = os.pipe()
    if not (pid := os.fork()):
        signal.alarm(int(line))
        try:
            frame = akshare.stock_zh_a_hist(symbol=sys.argv[1], start_date="20260302",
                                            end_date="20260612", timeout=3)
        except Exception as error:
            told = {"raises": type(error).__name__}
        else:
            told = {"frame": {c: [str(v) for v in frame[c]] for c in frame.columns}}
        with os.fdopen(write, "w") as stream:
            json.dump(told, stream)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    print(said or "{}", flush=True)
"""


def alone(on: Ground, kinds: tuple[str, ...] = KINDS, patience: int = 60) -> dict[str, str]:
    """Return what akshare by itself makes of each fault: raises, the truth, or another frame."""
    told: dict[str, str] = {}
    command = [sys.executable, "-c", _ALONE, on.shares[0][:6]]
    environment = os.environ | on.standin.environment | {"TQDM_DISABLE": "1"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        truth: Any = None
        for kind in ("none", *kinds):
            on.standin.choose = lambda _, kind=kind: Fault(kind)  # type: ignore[misc]
            print(patience, file=process.stdin, flush=True)
            said = json.loads(next(process.stdout or iter(())))
            if kind == "none":
                truth = said
            elif not said:
                told[kind] = "hangs"
            elif "raises" in said:
                told[kind] = f"raises {said['raises']}"
            else:
                told[kind] = "the truth" if said == truth else "another frame"
    on.standin.choose = lambda _: None
    return told
