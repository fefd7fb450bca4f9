"""The command that answers over the network."""

import ipaddress
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from indexer.cli.options import LEDGER
from indexer.cli.screen import shown
from indexer.errors import not_installed, short

TOKEN = "INDEXER_TOKEN"  # noqa: S105 (the name of a variable)
FIGURES = Path("out/indexer.prom")  # where `publish` leaves them
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_AGAIN = 30.0  # seconds for which what is due, and what runs said, is not looked at again
_NAME = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")  # a host as a request says it, but for its port
Found = TypeVar("Found")


def _host_names(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> set[str]:
    """Return names as they are compared; one that no request could have is refused."""
    told = {name.lower() for name in names}
    for name in sorted(told):
        if not _NAME.fullmatch(name):
            raise click.BadParameter(
                f"{short(name)} is no name of a host: write it like indices.example.org"
                " or [2001:db8::1], without scheme, port and path"
            )
    return told


@click.command()
@LEDGER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen at; 0 is any free one.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    callback=_host_names,
    metavar="HOST",
    help="Name that requests call this server by; loopback's own always may.",
)
@click.option(
    "--metrics",
    type=click.Path(path_type=Path),
    multiple=True,
    default=[FIGURES],
    show_default=True,
    help="File of figures that runs leave: what was refused is told from it.",
)
@click.option(
    "--grace",
    type=click.IntRange(0, 1440),
    default=120,
    show_default=True,
    metavar="MINUTES",
    help="How long after its closes are final a session is not late yet.",
)
@click.option(
    "--rate",
    type=click.IntRange(1, 1_000_000),
    metavar="REQUESTS",
    help="How many requests a second one client may make; without, as many as it likes.",
)
def serve(
    ledger: str,
    host: str,
    port: int,
    names: set[str],
    metrics: tuple[Path, ...],
    grace: int,
    rate: int | None,
) -> None:
    """Answer over HTTP from the ledger, read only: the API, and a live page at /.

    With INDEXER_TOKEN set, requests need it as bearer token; without, only this machine is
    listened to.
    """
    token = _token()
    if token is None and not _is_loopback(host):
        raise click.UsageError(f"--host {host} is open to others: set {TOKEN} first")
    try:
        from indexer.web.api import readers_at
        from indexer.web.door import Admission, hashed
        from indexer.web.protocol import Bounds
        from indexer.web.ratelimit import RateLimit
        from indexer.web.server import listen
        from indexer.web.server import serve as answer
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("indexer"):
            raise
        raise not_installed(str(error.name), "web") from None
    from indexer.run.due import due_sessions

    late = timedelta(minutes=grace)
    source = readers_at(
        ledger,
        _now_and_then(lambda engine: due_sessions(engine, datetime.now(UTC) - late)),
        _now_and_then(lambda: [_refused(path) for path in metrics]),
    )
    called = f"[{host}]" if ":" in host else host  # as an address is written, and a request says
    hosts = {*_LOOPBACK, called.lower(), *names}
    taken = listen(host, port)
    at = taken.getsockname()
    click.echo(f"answering at http://{called}:{at[1]}/", err=True)
    for path in metrics:
        if not os.path.exists(path):
            click.echo(f"warning: {path}: is not there yet", err=True)
    admission = Admission(
        None if token is None else hashed(token), hosts, None if rate is None else RateLimit(rate)
    )
    answer(taken, source, admission, Bounds())


def _token() -> str | None:
    """Return the token, and take it out of the environment: nobody else needs it."""
    token = os.environ.pop(TOKEN, None)
    if token is None:
        return None
    if len(token) < 16 or not token.isascii() or not token.isprintable():
        raise click.UsageError(f"{TOKEN} is no token: at least 16 printable ASCII characters")
    if token != token.strip():  # HTTP counts spaces around what is sent as nothing
        raise click.UsageError(f"{TOKEN} has a space at an end: no request could send it, drop it")
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _now_and_then(look: Callable[..., Found]) -> Callable[..., Found]:
    """Return a function that looks, but not again at once."""
    kept: list[tuple[float, Found]] = []

    def found(*asked: Any) -> Found:
        if not kept or time.monotonic() - kept[0][0] > _AGAIN:
            kept[:] = [(time.monotonic(), look(*asked))]
        return kept[0][1]

    return found


def _refused(path: Path) -> dict[str, str]:
    """Return what runs say was refused; nothing of a file that cannot be read, which is said."""
    from indexer.folders import read_file
    from indexer.web.state import refused_at

    try:
        return refused_at(read_file(path).decode())
    except FileNotFoundError:  # nothing has run yet
        return {}
    except (OSError, ValueError) as error:
        click.echo(f"warning: {path}: {shown(str(error))}", err=True)
        return {}
