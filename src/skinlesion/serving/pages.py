"""The files of the triage page, and the page that documents the interface."""

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, StrictUndefined
from starlette.responses import Response

__all__ = ["add_to"]

KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HERE = resources.files("skinlesion.serving")


def add_to(app: FastAPI) -> None:
    """Let an application serve its pages. They need no file from elsewhere.

    Args:
        app: With all other routes, which its page of documentation shows.
    """
    for path in _files(_HERE.joinpath("page")):
        kind = KINDS.get(path.name[path.name.rfind(".") :])
        if kind:
            name = "" if path.name == "index.html" else path.name
            _add(app, f"/{name}", path.read_bytes(), kind)
    _add(app, "/docs.css", _HERE.joinpath("docs.css").read_bytes(), "text/css")
    _add(app, "/docs", _documentation(app.openapi()).encode(), "text/html")


def _files(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda path: path.name)


def _add(app: FastAPI, path: str, content: bytes, kind: str) -> None:
    async def file() -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    app.add_api_route(path, file, methods=["GET"], include_in_schema=False)


def _documentation(schema: Mapping[str, Any]) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["kind"] = _kind
    page = environment.from_string(_HERE.joinpath("docs.html").read_text(encoding="utf-8"))
    operations = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return page.render(
        info=schema["info"], operations=operations, schemas=schema["components"]["schemas"]
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """Say in a word what a schema asks for; the name of another one stands for it."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(s) for s in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("format") == "binary":
        return "file"
    kind = schema.get("type", "any")
    return kind if isinstance(kind, str) else " or ".join(kind)
