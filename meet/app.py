"""The web application: routes of the table, errors as JSON, and the gate for the web server."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from meet.api import ENDPOINTS
from meet.endpoint import Endpoint, called, led_back
from meet.errors import RefusedError
from meet.openapi import description
from meet.service import Service
from meet.stream import Streams

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
GATE = "/api/gate"

Answer = Callable[[Request], Awaitable[Response]]


def application(service: Service, version: str) -> Starlette:
    """All that the service answers."""
    streams = Streams()

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncGenerator[None, None]:
        working = asyncio.create_task(service.begin())
        yield
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await service.close()

    async def gate(request: Request) -> Response:
        asked = request.headers.get("x-original-uri", "")
        opens = await service.opens(asked, request.headers.get("authorization", ""))
        return Response(status_code=204 if opens else 403)

    described = json.dumps(description(ENDPOINTS, version))

    async def openapi(_: Request) -> Response:
        return Response(described, media_type="application/json", headers=HEADERS)

    answers: dict[str, dict[str, Answer]] = {
        "/api/openapi.json": {"GET": openapi},
        GATE: {"GET": gate},
    }
    for one in ENDPOINTS:
        answers.setdefault(one.path, {})[one.method] = _answer(one, service, streams)
    made = Starlette(
        routes=[_route(path, of_path) for path, of_path in answers.items()],
        lifespan=life,
        exception_handlers={
            RefusedError: _refused,
            HTTPException: _missing,
            ClientDisconnect: _gone,
        },
    )
    made.router.redirect_slashes = False
    return made


def _route(path: str, answers: Mapping[str, Answer]) -> Route:
    """One route for all methods of a path, so that a wrong method is told which are right."""

    async def endpoint(request: Request) -> Response:
        # Starlette takes a path with a line's end behind it for the same path, and the web server,
        # which slows some paths down, for another one.
        if request.scope["path"].endswith("\n"):
            raise HTTPException(404)
        return await answers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=sorted(answers))


def _answer(endpoint: Endpoint, service: Service, streams: Streams) -> Answer:
    async def answer(request: Request) -> Response:
        try:
            return await given(request)
        except RefusedError as error:
            if not endpoint.leads:
                raise
            answer = led_back(error)
            answer.headers.update(HEADERS)
            return answer

    async def given(request: Request) -> Response:
        call = await called(endpoint, service, request)
        if endpoint.stream:
            streams.allow(call.seat.identity)
            events = streams.read(call.seat.identity, endpoint.event, endpoint.stream(call))
            return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)
        assert endpoint.handler
        content = await endpoint.handler(call)
        if isinstance(content, Response):
            content.headers.update(HEADERS)
            return content
        return Response(content.model_dump_json(), media_type="application/json", headers=HEADERS)

    return answer


def _error(status: int, content: dict[str, Any], extra: dict[str, str]) -> Response:
    return Response(
        json.dumps(content), status, {**HEADERS, **extra}, media_type="application/json"
    )


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    extra = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return _error(error.status, {"error": error.key, **error.values}, extra)


async def _missing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    key = "wrong_method" if error.status_code == 405 else "no_such_address"
    return _error(error.status_code, {"error": key}, dict(error.headers or {}))


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)
