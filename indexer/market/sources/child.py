"""The process in which akshare runs: without rights, without secrets, and not for long.

It speaks with the process that started it and believes nothing it hears from anyone else. Every
request is allowed from outside, every reply handed out before anything here reads it.
"""

import contextlib
import importlib
import io
import os
import resource
import shutil
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from indexer.market.sources import bodies, framing
from indexer.market.sources.filings import FILINGS
from indexer.market.sources.plain import Refused
from indexer.market.sources.quotes import QUOTES
from indexer.market.sources.rates import RATES
from indexer.market.sources.source import Ask

NOBODY = 65534
LARGEST = 32 << 20  # bytes of one reply, decoded
SECONDS = 20.0  # of silence after which a reply is given up
_MEMORY = 1536 << 20  # what may be written to
_ADDRESSES = 16 << 30  # a script engine alone reserves half of it
_FILE = 16 << 20
_CPU = 60  # seconds a question

ADAPTERS = QUOTES | FILINGS | RATES


class _Link:
    """The pipe to the process that asks, who asks for replies now, and the check of them."""

    def __init__(self, inbound: BinaryIO, outbound: BinaryIO) -> None:
        self._inbound, self._outbound = inbound, outbound
        self.function = ""
        self.check: bodies.Check = _nothing_expected

    def say(self, message: dict[str, Any], body: bytes = b"") -> None:
        framing.write(self._outbound, message, body)

    def hear(self) -> dict[str, Any]:
        return framing.read(self._inbound)[0]

    def ask(self, message: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        self.say(message, body)
        return self.hear()


def _nothing_expected(url: str, body: bytes) -> str:
    del body
    raise Refused("corrupt", f"{url} was not to be asked")


def main() -> None:
    """Answer questions until there are no more."""
    outbound = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not for the pipe
    link = _Link(sys.stdin.buffer, outbound)
    import akshare  # type: ignore[import-untyped]  # noqa: PLC0415 (takes seconds)

    _load_what_is_loaded_late()
    _give_up_rights(Path(akshare.__file__).parent)
    _guard_requests(link)
    names = ("akshare", "pandas", "requests", "urllib3")
    link.say({"ready": {name: version(name) for name in names} | {"uid": str(os.geteuid())}})
    with contextlib.suppress(EOFError):
        while True:
            answer = _answered(akshare, link, link.hear())
            try:
                link.say(answer)
            except ValueError as error:  # a figure without a form in JSON
                link.say({"done": "corrupt", "reason": f"akshare read what is none: {error}"})


def _answered(akshare: Any, link: _Link, question: dict[str, Any]) -> dict[str, Any]:
    dates = {key: date.fromisoformat(question[key]) for key in ("since", "until", "asked_on")}
    ask = Ask(question["table"], question["subject"], **dates)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + _CPU
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]  # which nobody but root may raise
    soft = seconds if hard == resource.RLIM_INFINITY else min(seconds, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))

    def call(function: str, check: bodies.Check, **arguments: Any) -> dict[str, list[Any]]:
        link.function, link.check = function, check
        _forget()
        frame = getattr(akshare, function)(**arguments)
        names = [str(name) for name in frame.columns]
        return {n: [_plain(v) for v in frame.iloc[:, k].tolist()] for k, n in enumerate(names)}

    adapter = ADAPTERS[question["source"], ask.table]
    try:
        columns = adapter(ask, call)
    except Refused as refused:
        return {"done": refused.outcome, "reason": refused.reason}
    except (ImportError, PermissionError, KeyboardInterrupt):
        raise  # of this process, not of the reply
    except Exception as error:  # noqa: BLE001 (whatever akshare makes of what passed the checks)
        reason = f"akshare cannot read it: {type(error).__name__}: {str(error)[:200]}"
        return {"done": "corrupt", "reason": reason}
    finally:
        link.check = _nothing_expected
    return {"done": "ok", "columns": columns}


def _plain(value: Any) -> Any:
    """Return a cell as JSON holds it; what pandas calls missing, unequal to itself, is None."""
    if value is None or value != value:  # noqa: PLR0124
        return None
    if isinstance(value, date):
        return value.isoformat()[:10]
    return value if isinstance(value, str | int | float) else str(value)


def _forget() -> None:
    """Empty what akshare keeps of replies: a spoiled one would stay for ever."""
    for function in (
        sys.modules["akshare.index.index_stock_hk"]._symbol_code_dict,
        sys.modules["akshare.currency.currency_china_bank_sina"]._currency_boc_sina_map,
    ):
        function.cache_clear()


def _load_what_is_loaded_late() -> None:
    """Import what libraries import on first use: without rights it may not be readable."""
    for name in (
        *("encodings.idna", "encodings.gbk", "encodings.gb18030", "encodings.utf_8_sig"),
        *("bs4", "charset_normalizer", "lxml.html", "openpyxl", "xlrd", "pandas.io.excel"),
        *("pandas.io.html", "pandas.io.formats.format", "encodings.cp936", "stringprep"),
    ):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.modules["py_mini_racer"].MiniRacer().eval("1")  # loads the engine


def _give_up_rights(package: Path) -> None:
    """Limit what this process may use, and where it is root become nobody."""
    home = Path.cwd()
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or sys.modules["certifi"].where()
    shutil.copyfile(bundle, home / "certificates.pem")
    os.environ["REQUESTS_CA_BUNDLE"] = str(home / "certificates.pem")
    for what, most in (
        (resource.RLIMIT_AS, _ADDRESSES),
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_FSIZE, _FILE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(what)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))
    readable = all(folder.stat().st_mode & 0o001 for folder in (package, *package.parents))
    if os.geteuid() == 0 and readable:
        for path in (home, *home.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def _guard_requests(link: _Link) -> None:
    """Let no request of akshare's out unasked, and no reply in unseen: at both of its doors."""
    requests, urllib3 = sys.modules["requests"], sys.modules["urllib3"]
    plain_send = requests.Session.send
    failures = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)

    def send(session: Any, request: Any, **options: Any) -> Any:
        allowed = link.ask({"want": request.url})
        if not allowed.get("go"):
            raise Refused("blocked", str(allowed.get("reason")))
        options |= {"timeout": SECONDS, "stream": True, "allow_redirects": False}
        options["verify"] = os.environ["REQUESTS_CA_BUNDLE"]  # akshare sometimes says no
        try:
            response = plain_send(session, request, **options)
            body = b"".join(_parts(response))
            response.close()
        except failures as error:
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            raise Refused("transient", reason) from None
        response._content, response._content_consumed = body, True
        status = response.status_code
        link.ask({"got": request.url, "status": status, "function": link.function}, body)
        bodies.judge_status(status)
        response.encoding = link.check(request.url, body)
        return response

    def urlopen(request: Any, *_: Any, **__: Any) -> Any:
        """Fetch for pandas, which asks past requests."""
        url = request if isinstance(request, str) else request.full_url
        return _Opened(requests.get(url).content)

    requests.Session.send = send
    urllib.request.urlopen = urlopen  # type: ignore[assignment]


class _Opened(io.BytesIO):
    """A body as ``urlopen`` gives one."""

    headers: dict[str, str] = {}  # noqa: RUF012 (of a reply that is decoded already)


def _parts(response: Any) -> Iterator[bytes]:
    """Yield a body piece by piece, decoded, up to the size a reply may have."""
    size = 0
    while part := response.raw.read(1 << 16, decode_content=True):
        size += len(part)
        if size > LARGEST:
            raise Refused("corrupt", f"a body of more than {LARGEST >> 20} MB")
        yield part


if __name__ == "__main__":
    main()
