"""The process in which akshare runs, from outside: started, asked, and killed at the deadline.

Importing akshare takes seconds, so one process answers many questions. What it says is believed
to be JSON and no more.
"""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from indexer.market.sources import framing
from indexer.market.sources.source import Ask

START = 60.0  # seconds it may take to start
DEADLINE = 90.0  # seconds a question may take, without the waits between requests
_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SYSTEMROOT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    "REQUESTS_CA_BUNDLE",
)
_PACKAGES = Path(__file__).resolve().parents[3]

Want = Callable[[str], str]  # told the address before each request; says why not, after waiting
# Told of each reply its address, status, the function that asked for it, and its body, unread.
Got = Callable[[str, int, str, bytes], None]


class Ended(Exception):  # noqa: N818 (caught where it is raised for)
    """The process died or did not speak as agreed, and how."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


class _SilentError(Exception):
    """Nothing came in time."""


class Worker:
    """A process that answers questions; made anew when it has been killed.

    Parameters
    ----------
    environment : variables of which it is given those about the way out, and no others
    deadline : seconds a question may take
    start : seconds it may take to start
    """

    def __init__(
        self, environment: Mapping[str, str], deadline: float = DEADLINE, start: float = START
    ) -> None:
        self._environment = {k: v for k, v in environment.items() if k in _PASSED_ON}
        self._deadline, self._starting = deadline, start
        self._process: subprocess.Popen[bytes] | None = None
        self._home = Path()
        self.versions: dict[str, str] = {}

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, source: str, ask: Ask, want: Want, got: Got) -> dict[str, Any]:
        """Return what it answers: ``done``, an outcome, with ``reason`` or ``columns``.

        Silence until the deadline is the upstream's: ``transient``.

        Raises
        ------
        Ended
            If it died by a signal, or was killed for what it said.
        RuntimeError
            If it cannot start, or left by itself: a fault of ours, told as it told it.
        OSError
            If no folder can be made for it to live in.
        """
        if self._process is None:
            self._start()
        question = {"source": source, "table": ask.table, "subject": ask.subject}
        question |= {key: str(getattr(ask, key)) for key in ("since", "until", "asked_on")}
        try:
            self._say(question)
            left = self._deadline
            while True:
                begun = time.monotonic()
                said, body = self._hear(left)
                left -= time.monotonic() - begun
                if "done" in said:
                    return said
                if "want" in said:
                    reason = want(str(said["want"]))
                    self._say({"go": not reason, "reason": reason})
                elif "got" in said:
                    got(*_reply(said), body)
                    self._say({"kept": True})
                else:
                    raise Ended(f"it said {sorted(said)}")
        except _SilentError:
            self.stop()
            return {"done": "transient", "reason": f"no answer within {self._deadline:g} s"}
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process, if there is one, and remove its folder."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # of bytes it can no longer take
                if stream is not None:
                    stream.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _start(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="indexer-fetch-"))
        home = str(self._home)
        environment = self._environment | {"HOME": home, "TMPDIR": home, "TQDM_DISABLE": "1"}
        environment["PYTHONPATH"] = str(_PACKAGES)  # else it may find another installation of us
        command = [sys.executable, "-P", "-W", "ignore", "-m", "indexer.market.sources.child"]
        try:
            with (self._home / "stderr").open("wb") as errors:
                self._process = subprocess.Popen(  # noqa: S603 (our own module)
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=home,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            shutil.rmtree(self._home, ignore_errors=True)
            raise RuntimeError(f"akshare's process does not start: {error}") from error
        try:
            self.versions = {
                str(k): str(v) for k, v in self._hear(self._starting)[0]["ready"].items()
            }
        except _SilentError as silence:
            self.stop()
            how = f"no answer within {self._starting:g} s"
            raise RuntimeError(f"akshare's process does not start: {how}") from silence
        except Ended as ended:
            self.stop()
            raise RuntimeError(f"akshare's process does not start: {ended.how}") from ended
        except BaseException:
            self.stop()
            raise

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process is not None  # noqa: S101 (started above)
        try:
            framing.write(self._process.stdin, message)  # type: ignore[arg-type]
        except OSError:
            raise Ended(self._how()) from None

    def _hear(self, seconds: float) -> tuple[dict[str, Any], bytes]:
        until = time.monotonic() + seconds
        try:
            text, body = framing.sizes(self._read(framing.HEAD, until))
            return framing.message(self._read(text, until)), self._read(body, until)
        except (ValueError, TypeError, RecursionError) as error:
            raise Ended(f"it does not speak as agreed: {error}") from None

    def _read(self, size: int, until: float) -> bytes:
        """Return that many bytes, or raise when the time is up."""
        assert self._process is not None  # noqa: S101 (started above)
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 (started above)
        found = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while len(found) < size:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise _SilentError
                part = os.read(stream.fileno(), min(size - len(found), 1 << 20))
                if not part:
                    raise Ended(self._how())
                found += part
        return bytes(found)

    def _how(self) -> str:
        assert self._process is not None  # noqa: S101 (started above)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        if code is not None and code < 0:
            return f"it died by signal {-code}"
        told = (self._home / "stderr").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"akshare's process left with code {code}\n{told[-2000:]}")


def _reply(said: Mapping[str, Any]) -> tuple[str, int, str]:
    """Return address, status and function of a reply; raise `Ended` where they are told wrongly."""
    try:
        return str(said["got"]), int(said["status"]), str(said["function"])
    except (KeyError, TypeError, ValueError):
        raise Ended(f"it said {sorted(said)} of a reply") from None
