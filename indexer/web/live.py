"""The live page: its files, read once; what it shows it asks the API for."""

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI, Request, Response

from indexer.web.kept import matches

_HERE = Path(__file__).parent
_CHARTS = _HERE.parent / "report" / "echarts.min.js"
FILES = {
    "/": (_HERE / "live.html", "text/html; charset=utf-8"),
    "/live.css": (_HERE / "live.css", "text/css; charset=utf-8"),
    "/live.js": (_HERE / "live.js", "text/javascript; charset=utf-8"),
    "/measures.js": (_HERE / "measures.js", "text/javascript; charset=utf-8"),
    "/words.js": (_HERE / "words.js", "text/javascript; charset=utf-8"),
    "/echarts.min.js": (_CHARTS, "text/javascript; charset=utf-8"),
}


class Asset(NamedTuple):
    """A file of the page, as it is or packed, and what tells it from any other."""

    content: bytes
    headers: dict[str, str]


def show(app: FastAPI) -> None:
    """Answer with the page at ``/``, and with its files beside it."""
    for address, (path, kind) in FILES.items():
        content = path.read_bytes()
        tag = hashlib.sha256(content).hexdigest()[:32]
        told = {"content-type": kind, "cache-control": "no-cache", "vary": "accept-encoding"}
        plain = Asset(content, told | {"etag": f'"{tag}"'})
        packing = {"etag": f'"{tag}-gzip"', "content-encoding": "gzip"}
        _offer(app, address, plain, Asset(gzip.compress(content, mtime=0), told | packing))


def _offer(app: FastAPI, address: str, plain: Asset, packed: Asset) -> None:
    async def answer(request: Request) -> Response:
        asset = packed if _takes_gzip(request.headers.get("accept-encoding", "")) else plain
        known = request.headers.get("if-none-match", "").encode("latin-1")
        if matches(known, asset.headers["etag"].encode()):
            kept = {name: asset.headers[name] for name in ("etag", "cache-control", "vary")}
            return Response(status_code=304, headers=kept)
        return Response(asset.content, headers=asset.headers)

    app.add_api_route(address, answer, include_in_schema=False)


def _takes_gzip(accepted: str) -> bool:
    """Return whether a list of encodings has gzip, and not with the weight 0, which refuses it.

    Examples
    --------
    >>> _takes_gzip("br;q=1.0, gzip;q=0.8"), _takes_gzip("gzip;q=0.0"), _takes_gzip("identity")
    (True, False, False)
    """
    for item in accepted.split(","):
        name, _, weight = item.replace(" ", "").partition(";q=")
        if name == "gzip":
            return not weight or weight.strip("0.") != ""
    return False
