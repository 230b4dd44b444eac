"""Every refusal as the one schema, whoever makes it: a route, the framework, or a defect."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from skinlesion.serving import refusal

__all__ = ["STATUSES", "add_to", "answer", "defect"]

STATUSES = {
    401: "The token is absent or another.",
    413: "Larger than the limits in /v1/model.",
    422: "Not what it must be: the field, what is expected there, and what was found.",
    429: "As many requests are in work as may be. Retry-After says when to come again.",
    503: "Not ready, or not done in time.",
}
_FRAMEWORK = {404: "a path of /docs", 405: "a method of /docs"}


def add_to(app: FastAPI) -> None:
    """Let an application answer refusals.

    Args:
        app: The application.
    """

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, refusal.RefusalError)
        return answer(error)

    async def by_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        expected = _FRAMEWORK.get(error.status_code, "a request as of /docs")
        made = answer(refusal.one(error.status_code, "request", expected, "another"))
        made.headers.update(error.headers or {})
        return made

    async def invalid(request: Request, error: Exception) -> Response:
        return answer(refusal.one(422, "request", "a request as of /docs", "another"))

    app.add_exception_handler(refusal.RefusalError, refused)
    app.add_exception_handler(HTTPException, by_framework)
    app.add_exception_handler(RequestValidationError, invalid)


def answer(refused: refusal.RefusalError) -> Response:
    """Write a refusal.

    Args:
        refused: What is wrong.
    """
    headers = {401: {"www-authenticate": "Bearer"}}.get(refused.status, {})
    if refused.retry_after is not None:
        headers["retry-after"] = str(refused.retry_after)
    detail = [finding.model_dump() for finding in refused.findings]
    return JSONResponse({"detail": detail}, refused.status, headers)


def defect() -> Response:
    """Answer after a defect of ours: nothing of it, for the log has its kind and place."""
    return answer(refusal.one(500, "service", "an answer", "a defect, which is in the log"))
