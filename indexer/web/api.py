"""The API: which address answers what, read from the ledger and from nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import anyio
import sqlalchemy as sa
from anyio.to_thread import run_sync
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from indexer.errors import short
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.heads import last_hash
from indexer.report.published import FORMULA, csv_text
from indexer.web import answers, shapes
from indexer.web.answers import Answer, Unpublished
from indexer.web.live import show
from indexer.web.parameters import (
    EXAMPLES,
    MAX_ROWS,
    Dated,
    Form,
    Id,
    Known,
    Levels,
    Listing,
    Paged,
    Signals,
)
from indexer.web.problem import PROBLEM_TYPE, Fault, Problem, Refused, problem_response
from indexer.web.state import STATUS_COLUMNS, Standing, standings, status_rows

Found = TypeVar("Found")
# Of the door and the protocol.
_REFUSALS = (400, 401, 405, 408, 413, 414, 421, 422, 429, 431, 500, 503)


@dataclass(frozen=True, slots=True)
class Readers:
    """Readers of a ledger, from which answers come.

    Attributes
    ----------
    ledger : opened for reading alone
    due : by id, the last session that should be published by now
    refusals : when each subject was refused, as each file of figures says
    threads : how many readers there are at once
    standing : by the last entry, where everything stood then
    """

    ledger: sa.Engine
    due: Callable[[], Mapping[str, str]] = dict
    refusals: Callable[[], Sequence[Mapping[str, str]]] = tuple
    threads: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(4))
    standing: dict[str, Mapping[str, Standing]] = field(default_factory=dict)

    def standings(self, connection: sa.Connection) -> Mapping[str, Standing]:
        """Return where everything published stands, made out once for an entry of the ledger."""
        head = last_hash(connection)
        found = self.standing.get(head)
        if found is None:
            found = standings(connection)
            self.standing.clear()
            self.standing[head] = found
        return found

    async def read(self, ask: Callable[[sa.Connection], Found]) -> Found:
        """Return what a question to the ledger gives, asked beside the loop."""

        def answer() -> Found:
            with reading(self.ledger) as connection:
                return ask(connection)

        return await run_sync(answer, abandon_on_cancel=True, limiter=self.threads)

    async def answer(
        self, form: Callable[[Answer], Response], ask: Callable[..., Answer], *asked: Any
    ) -> Response:
        """Return what a question gives in the form that is wanted."""
        return await self.read(lambda connection: form(ask(connection, *asked)))


def readers_at(
    url: str,
    due: Callable[[sa.Engine], Mapping[str, str]] = lambda _: {},
    refusals: Callable[[], Sequence[Mapping[str, str]]] = tuple,
) -> Readers:
    """Open the ledger at a URL for reading alone; raises as that does."""
    ledger = open_ledger(url, read_only=True)
    return Readers(ledger, partial(due, ledger), refusals)


def api(readers: Readers) -> FastAPI:
    """Return the application that answers from what they read."""
    app = FastAPI(
        title="indexer",
        version="1",
        description="Levels, constituents and signals as they were published. Read only.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=dict.fromkeys(_REFUSALS, _PROBLEM),
    )
    handlers = {
        RequestValidationError: _invalid,
        Unpublished: _absent,
        HTTPException: _unknown,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]
    _indices(app, readers)
    _studies(app, readers)
    _state(app, readers)
    show(app)
    described = _description(app)
    app.openapi = lambda: described  # type: ignore[method-assign]
    return app


def _indices(app: FastAPI, readers: Readers) -> None:
    @app.get("/v1/indices", **_answers(shapes.Indices))
    async def indices(asked: Annotated[Listing, Query()], request: Request) -> Response:
        """List what is published."""
        asks = ("index", asked.after or "", asked.rows, asked.known_at)
        return await readers.answer(_table(asked, request), answers.listed, *asks)

    @app.get("/v1/indices/{id}", **_answers(shapes.Index, 404))
    async def index(id: Id, asked: Annotated[Known, Query()]) -> Response:
        """Return an index: where it stands, its definition, and when it was published."""
        form = _object(asked)
        return await readers.answer(form, answers.described, id, "index", asked.known_at)

    @app.get("/v1/indices/{id}/levels", **_answers(shapes.Levels, 404))
    async def levels(id: Id, asked: Annotated[Levels, Query()], request: Request) -> Response:
        """Return levels, the columns of `indexer history`: `level` is the text published."""
        form, variant = _table(asked, request), asked.variant or ""
        return await readers.answer(form, answers.levels, asked.span(id), variant)

    @app.get("/v1/indices/{id}/constituents", **_answers(shapes.Constituents, 404))
    async def constituents(id: Id, asked: Annotated[Dated, Query()], request: Request) -> Response:
        """Return the constituents of a session, the last one by default."""
        return await readers.answer(_table(asked, request), answers.constituents, asked.span(id))


def _studies(app: FastAPI, readers: Readers) -> None:
    @app.get("/v1/studies", **_answers(shapes.Studies))
    async def studies(asked: Annotated[Listing, Query()], request: Request) -> Response:
        """List the studies that are published."""
        asks = ("study", asked.after or "", asked.rows, asked.known_at)
        return await readers.answer(_table(asked, request), answers.listed, *asks)

    @app.get("/v1/studies/{id}", **_answers(shapes.Study, 404))
    async def study(id: Id, asked: Annotated[Known, Query()]) -> Response:
        """Return a study: the state of each pair, its definition, and when it was published."""
        form = _object(asked)
        return await readers.answer(form, answers.described, id, "study", asked.known_at)

    @app.get("/v1/studies/{id}/signals", **_answers(shapes.Signals, 404))
    async def signals(id: Id, asked: Annotated[Signals, Query()], request: Request) -> Response:
        """Return signals as they were published."""
        form, span = _table(asked, request), asked.span(id)
        named = (asked.signal or "", asked.leader or "", asked.follower or "")
        return await readers.answer(form, answers.signals, span, *named)


def _state(app: FastAPI, readers: Readers) -> None:
    @app.get("/v1/status", **_answers(shapes.Status, tagged=False))
    async def status(asked: Annotated[Form, Query()], request: Request) -> Response:
        """Say of everything whether its last session is published, delayed or refused."""

        def found(connection: sa.Connection) -> Answer:
            rows = status_rows(readers.standings(connection), readers.due(), readers.refusals())
            return Answer(STATUS_COLUMNS, rows, {})

        answer = await readers.answer(_table(asked, request), found)
        answer.headers["cache-control"] = "no-store"
        return answer

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        """Say that the ledger can be read."""
        await readers.read(last_hash)
        return Response(b"ok\n", media_type="text/plain", headers={"cache-control": "no-store"})


_PROBLEM: dict[str, Any] = {
    "description": "A problem document (RFC 9457).",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


_TEXT = {"schema": {"type": "string"}}
_TAG = {"ETag": {"description": "Changes with what is said.", **_TEXT}}
_LINK = {"Link": {"description": "The next page, where there is one, as `next`.", **_TEXT}}
_KNOWN_TAG = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Tags of answers one has: what is still the same is not sent again.",
    **_TEXT,
}
_SAME = {"description": "The same as one that is known.", "headers": _TAG}
_BEARER = {"type": "http", "scheme": "bearer", "description": "Where the server has a token."}


def _answers(shape: type[BaseModel], *codes: int, tagged: bool = True) -> dict[str, Any]:
    """Return what the description says of the answers of an address."""
    headers = (_TAG if tagged else {}) | (_LINK if "next" in shape.model_fields else {})
    found = {"model": shape, "description": "As published.", "headers": headers}
    same = {304: _SAME} if tagged else {}
    return {
        "response_class": JSONResponse,
        "responses": {
            200: found | {"content": {"text/csv": _TEXT}},
            **same,
            **dict.fromkeys(codes, _PROBLEM),
        },
        "openapi_extra": {"parameters": [_KNOWN_TAG] if tagged else []},
    }


def _table(asked: Form, request: Request) -> Callable[[Answer], Response]:
    """Return how rows are told in the form asked for, with where the next of them are."""

    def told(found: Answer) -> Response:
        following = _next(found, request)
        if following is not None and isinstance(asked, Paged) and asked.whole:
            return problem_response(Refused(422, _CUT, [Fault(parameter="limit", message=_CUT)]))
        headers = {} if following is None else {"link": f'<{following}>; rel="next"'}
        if asked.format == "csv":
            return _csv(found, headers)
        rows = answers.objects(found.columns, found.rows)
        return _json({**found.beside, "rows": rows, "next": following}, headers)

    return told


_CUT = f"more than {MAX_ROWS} rows: ask for fewer of them, or for pages by limit and after"


def _object(asked: Form) -> Callable[[Answer], Response]:
    """Return how one row, or none, is told with what stands beside it; as CSV the row alone."""

    def told(found: Answer) -> Response:
        if asked.format == "csv":
            return _csv(found, {})
        row = next(iter(answers.objects(found.columns, found.rows)), None)
        return _json({"summary": row, **found.beside}, {})

    return told


def _json(told: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(to_json(told), headers=dict(headers), media_type="application/json")


def _csv(found: Answer, headers: Mapping[str, str]) -> Response:
    rows = [tuple(map(_plain, row)) for row in found.rows]
    text = csv_text(found.columns, rows)
    return Response(text, headers=dict(headers), media_type="text/csv")


def _plain(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers are none."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _next(found: Answer, request: Request) -> str | None:
    """Return the address of the next page; it shows the ledger as this one does."""
    if found.after is None:
        return None
    query = urlencode({**request.query_params, **found.after})
    return f"{request.url.path}?{query}"


def _invalid(request: Request, error: RequestValidationError) -> Response:
    faults = []
    for one in error.errors()[:20]:
        said = one["msg"].removeprefix("Value error, ").removeprefix("Input ")
        if one["type"] == "string_pattern_mismatch":
            said = f"has another form: write it like {EXAMPLES[one['ctx']['pattern']]}"
        message = f"{short(one['input'])} {said}"
        if one["type"] == "extra_forbidden":
            message = f"is unknown: known are {', '.join(_parameters(request))}"
        faults.append(Fault(parameter=str(one["loc"][-1])[:64], message=message))
    told = "; ".join(f"{fault.parameter}: {fault.message}" for fault in faults)
    return problem_response(Refused(422, told, faults))


def _parameters(request: Request) -> list[str]:
    """Return the names of what may be asked at the address of a request, as they are described."""
    told = request.app.openapi()["paths"][request.scope["route"].path]["get"]["parameters"]
    return [one["name"] for one in told if one["in"] == "query"]


def _absent(_: Request, error: Unpublished) -> Response:
    return problem_response(Refused(404, str(error)))


def _unknown(_: Request, error: HTTPException) -> Response:
    return problem_response(Refused(error.status_code, "there is nothing at this address"))


def _description(app: FastAPI) -> dict[str, Any]:
    """Return the description of the API: errors are problem documents, a token may be needed."""
    told = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = told["components"]["schemas"]
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), Problem=problem)
    told["components"]["securitySchemes"] = {"bearer": _BEARER}
    told["security"] = [{}, {"bearer": []}]
    return told
