"""A server over real connections, in a process of its own, with short deadlines."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROGRAM = """
import sys
from indexer.web.api import readers_at
from indexer.web.door import Admission, hashed
from indexer.web.protocol import Bounds
from indexer.web.server import listen, serve
taken = listen("127.0.0.1", 0)
print(taken.getsockname()[1], flush=True)
bounds = Bounds(receipt=float(sys.argv[2]), delivery=0.6, connections=60)
terms = Admission(hashed(sys.argv[3]) if sys.argv[3] else None, {"127.0.0.1"})
serve(taken, readers_at(sys.argv[1]), terms, bounds)
"""


@contextlib.contextmanager
def server(
    url: str, receipt: float = 0.6, token: str = ""
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a server; give its process and port."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(receipt), token],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        port = int(process.stdout.readline())
        yield process, port
    finally:
        process.kill()
        process.communicate()
