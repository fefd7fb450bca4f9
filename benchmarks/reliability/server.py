"""A PostgreSQL server of our own for as long as it is needed, on the loopback alone."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USERS = ("postgres", "nobody")  # whom to run it as where we are root, which it refuses


def programs() -> Path | None:
    """Return the folder of the newest server's programs; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    return Path(path).resolve().parent if path else None


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server and give its URL; it keeps what it is told to, and is removed with it.

    Raises
    ------
    RuntimeError
        If there are no programs of it, or it does not start.
    """
    bin = programs()
    if bin is None:
        raise RuntimeError("PostgreSQL is not installed")
    user = next((u for u in USERS if _is_user(u)), None) if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="indexer-pg-") as name:
        folder = Path(name)
        password = secrets.token_hex(16)
        (folder / "password").write_text(password, encoding="ascii")
        if user is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data, port = folder / "data", _free_port()
        words = [bin / "initdb", "-D", data, "-U", "indexer", "-A", "scram-sha-256"]
        _run([*words, f"--pwfile={folder / 'password'}", "-E", "UTF8", "--no-locale"], user)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        control = [bin / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        _run([*control, "-o", options, "start"], user)
        try:
            yield f"postgresql+psycopg://indexer:{password}@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], user)


def _run(words: list[object], user: str | None) -> None:
    done = subprocess.run(
        list(map(str, words)),
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stdout[-1000:]}")


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parts[-3].split(".") if part.isdigit())


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
