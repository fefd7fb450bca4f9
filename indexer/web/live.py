"""The live page: its files, read once; what it shows it asks the API for."""

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI, Request, Response

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
    """A file of the page."""

    content: bytes
    packed: bytes
    kind: str
    tag: str


def show(app: FastAPI) -> None:
    """Answer with the page at ``/``, and with its files beside it."""
    for address, (path, kind) in FILES.items():
        content = path.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        _offer(app, address, Asset(content, gzip.compress(content, mtime=0), kind, tag))


def _offer(app: FastAPI, address: str, asset: Asset) -> None:
    async def answer(request: Request) -> Response:
        headers = {"etag": asset.tag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if asset.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.kind)
        return Response(asset.content, headers=headers, media_type=asset.kind)

    app.add_api_route(address, answer, include_in_schema=False)
