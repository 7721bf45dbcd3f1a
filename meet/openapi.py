"""The description of the HTTP interface (OpenAPI 3.1), made of its table."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from meet.endpoint import OWN_PAGES, Endpoint
from meet.errors import STATUS
from meet.models import Refused
from meet.rooms import ROLES
from meet.staff import COOKIE

PLACE = "#/components/schemas/{model}"
# What any endpoint may answer besides its own: the store or LiveKit away, too many requests.
ALWAYS = ("store", "media", "slow")
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "ticket": [{"ticket": []}],
    "seat": [{"seat": []}],
    "moderator": [{"seat": []}],
    "staff": [{"staff": []}],
}


def description(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """The whole description."""
    asked: set[type[BaseModel]] = {one.asks for one in endpoints if one.asks}
    given: set[type[BaseModel]] = {one.gives for one in endpoints if one.gives} | {Refused}
    modes: list[tuple[type[BaseModel], Any]] = [(one, "validation") for one in asked]
    modes += [(one, "serialization") for one in given]
    modes.sort(key=lambda pair: pair[0].__name__)
    names, schemas = models_json_schema(modes, ref_template=PLACE)
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        refs = {key: names[key, mode] for key, mode in modes}
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, refs)
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ratssaal: rooms", "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "ticket": bearer,
                "seat": bearer,
                "staff": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(one: Endpoint, refs: dict[type[BaseModel], Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": one.summary, "responses": _responses(one, refs)}
    if one.asks:
        content = {"application/json": {"schema": refs[one.asks]}}
        operation["requestBody"] = {"required": True, "content": content}
    if one.who in SECURITY:
        operation["security"] = SECURITY[one.who]
    parameters: list[dict[str, Any]] = []
    if "{id}" in one.path:
        known = {"type": "string", "pattern": "^[a-z2-7]{10}$"}
        parameters.append({"name": "id", "in": "path", "required": True, "schema": known})
    if one.path.endswith(".ics"):
        roles = {"type": "string", "enum": list(ROLES), "default": "participant"}
        parameters.append({"name": "role", "in": "query", "schema": roles})
    if one.who in ("page", "staff") and one.method != "GET":
        own = {"type": "string", "const": "1"}
        parameters.append({"name": OWN_PAGES, "in": "header", "required": True, "schema": own})
    if parameters:
        operation["parameters"] = parameters
    return operation


def _responses(one: Endpoint, refs: dict[type[BaseModel], Any]) -> dict[str, Any]:
    if one.leads:
        refusals = ", ".join(sorted({*one.errors, *ALWAYS}))
        address = {"schema": {"type": "string"}}
        said = f"{one.summary}; or to the staff's page with #refused= and one of: {refusals}"
        return {"303": {"description": said, "headers": {"Location": address}}}
    if one.event:
        good: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif one.gives is None:
        good = {"text/calendar": {"schema": {"type": "string"}}}
    else:
        good = {"application/json": {"schema": refs[one.gives]}}
    responses: dict[str, Any] = {"200": {"description": one.summary, "content": good}}
    for status in sorted({STATUS[key] for key in (*one.errors, *ALWAYS)}):
        keys = sorted({key for key in (*one.errors, *ALWAYS) if STATUS[key] == status})
        refused = {"application/json": {"schema": refs[Refused]}}
        responses[str(status)] = {"description": ", ".join(keys), "content": refused}
    return responses
