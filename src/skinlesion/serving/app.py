"""The application: its routes and their schema."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from skinlesion.serving import admission, answers, pages, refusal, refusing
from skinlesion.serving.observing import Observed
from skinlesion.serving.scorer import Bundle
from skinlesion.serving.service import Service
from skinlesion.serving.settings import Settings

__all__ = ["create"]

GONE = 499  # as nginx logs a client that has gone before its answer
OFF: Any = {"tracing": False, "metrics": False, "logs": False}  # nothing goes to a collector
FILE = {"type": "string", "format": "binary"}
TILE = FILE | {"description": "A JPEG or PNG: 15 mm x 15 mm, the lesion at the centre."}
TABLE_AND_TILES = {
    "table": FILE | {"description": "A CSV file: isic_id and the columns that /v1/model names."},
    "tiles": {
        "type": "array",
        "items": FILE,
        "description": "Files named by isic_id, .jpg, .jpeg or .png.",
    },
}

Run = Callable[[Request], Awaitable[bytes]]


class State(BaseModel):
    """Whether a service is alive, or ready."""

    status: Literal["ok"] = "ok"


def create(bundle: Bundle, settings: Settings) -> FastAPI:
    """Make the application of a service.

    Args:
        bundle: What scores.
        settings: With the token and the limits.
    """
    service = Service(bundle, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="skinlesion",
        version=bundle.version,
        description=bundle.card["notice"],
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own page loads scripts from elsewhere
        redoc_url=None,
        telemetry=OFF,
    )
    app.add_middleware(Observed, counters=service.counters)
    refusing.add_to(app)
    _add_scoring(app, service)
    _add_model(app, service)
    _add_operation(app, service)
    pages.add_to(app)
    return app


def _add_scoring(app: FastAPI, service: Service) -> None:
    tile_and_row = {"tile": TILE, "row": _row(service.bundle)}

    @app.post("/v1/lesions", **_form(tile_and_row, answers.Answer))
    async def score_a_lesion(request: Request) -> Response:
        """Score one lesion by itself."""
        return await _answered(request, service.lesion)

    @app.post("/v1/patients", **_form(TABLE_AND_TILES, answers.Answer))
    async def score_a_patient(request: Request) -> Response:
        """Score the lesions of a patient beside each other.

        A lesion whose tile is absent or damaged is answered with the reason; a tile without row is
        left out with a warning.
        """
        return await _answered(request, service.patient)

    @app.post("/v1/occlusion", **_form(tile_and_row, answers.Occlusion))
    async def show_where_the_network_looks(request: Request) -> Response:
        """Hide one patch of the tile after the other, and say what the network's logit loses."""
        return await _answered(request, service.occlusion)


def _add_model(app: FastAPI, service: Service) -> None:
    @app.get("/v1/model", responses=_responses(answers.Model, 401))
    async def show_the_model(request: Request) -> Response:
        """Answer the model card, the columns that the models read, and the limits."""
        return Response(service.model(request), media_type="application/json")


def _add_operation(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", responses=_responses(State))
    async def health() -> State:
        """Answer as long as the process does."""
        return State()

    @app.get("/readyz", responses=_responses(State, 503))
    async def readiness() -> State:
        """Answer ok once a first lesion is scored, so that others will be."""
        if not service.is_ready:
            raise refusal.one(503, "service", "ready", "not yet", retry_after=1)
        return State()

    @app.get("/metrics", responses=_responses(None, 401), response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Answer counts and times, as Prometheus reads them."""
        admission.require_token(request, service.settings)
        return Response(service.counters.text(), media_type=CONTENT_TYPE_LATEST)


async def _answered(request: Request, run: Run) -> Response:
    try:
        return Response(await run(request), media_type="application/json")
    except ClientDisconnect:
        return Response(status_code=GONE)


def _row(bundle: Bundle) -> dict[str, Any]:
    """Describe a row by the columns that the models read."""

    def column(of: dict[str, Any]) -> dict[str, Any]:
        kind = "number" if of["kind"] == "number" else "string"
        ends = {"minimum": of.get("low"), "maximum": of.get("high")}
        return {"type": [kind, "null"]} | {k: v for k, v in ends.items() if v is not None}

    return {
        "type": "object",
        "description": "A JSON object: the columns that /v1/model names.",
        "properties": {c["name"]: column(c) for c in bundle.columns},
        "required": [c["name"] for c in bundle.columns],
    }


def _form(parts: dict[str, Any], answer: type[BaseModel]) -> dict[str, Any]:
    """Describe a route that takes a form; FastAPI must not read it, for it has limits of ours."""
    schema = {"type": "object", "properties": parts, "required": list(parts)}
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {
        "responses": _responses(answer, *refusing.STATUSES),
        "openapi_extra": {"requestBody": body},
    }


def _responses(answer: type[BaseModel] | None, *statuses: int) -> dict[int | str, dict[str, Any]]:
    found: dict[int | str, dict[str, Any]] = {200: {"model": answer}} if answer else {}
    for status in statuses:
        found[status] = {"model": refusal.Refused, "description": refusing.STATUSES[status]}
    return found
