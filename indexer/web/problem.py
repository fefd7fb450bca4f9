"""Problem documents: every error as RFC 9457 describes it, without anything of the inside."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

PROBLEM_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One parameter that cannot be used, and why."""

    parameter: str
    message: str


class Problem(BaseModel):
    """What went wrong with a request."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    faults: list[Fault] = Field(default_factory=list)


class Refused(Exception):  # noqa: N818 (it is the answer, not a failure of the server)
    """A request that is answered by a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.detail = status, detail
        self.faults, self.headers = list(faults), dict(headers or {})
        super().__init__(detail)


def problem_response(refused: Refused) -> JSONResponse:
    """Return the answer that tells of a problem; it is kept by nobody."""
    told = Problem(
        title=HTTPStatus(refused.status).phrase,
        status=refused.status,
        detail=refused.detail,
        faults=refused.faults,
    )
    headers = {"cache-control": "no-store", **refused.headers}
    return JSONResponse(told.model_dump(), refused.status, headers=headers, media_type=PROBLEM_TYPE)
