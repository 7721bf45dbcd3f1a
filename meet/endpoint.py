"""What an endpoint is: who may call it, what it takes and gives; routes and description follow."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from meet.directory import COOKIE as ERRAND
from meet.errors import RefusedError
from meet.house import House
from meet.service import Service
from meet.signed import Seat, Ticket
from meet.staff import COOKIE

# anyone: needs nothing; page: the header that only our own pages can send, against forged requests.
Who = Literal["anyone", "page", "ticket", "seat", "moderator", "staff"]
MOST_BYTES = 16_384
OWN_PAGES = "x-ratssaal"
STAFF_PAGE = "/rooms/"
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")


@dataclass
class Call:
    """One request, once it is known who asks."""

    service: Service
    request: Request
    house: House
    body: Any
    seat: Any = None
    staff: str | None = None

    @property
    def host(self) -> str:
        """The name by which the asker reached this box, for links that lead back the same way."""
        asked = self.request.headers.get("host", "").lower()
        return asked if HOST.fullmatch(asked) else self.house.tenant

    @property
    def address(self) -> str:
        """Where the request comes from, as the web server says; kept nowhere."""
        return self.request.headers.get("x-forwarded-for", "")


Handler = Callable[[Call], Awaitable[BaseModel | Response]]
Stream = Callable[[Call], AsyncIterator[BaseModel | None]]


@dataclass(frozen=True)
class Endpoint:
    """One line of the service's interface."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    who: Who
    summary: str
    asks: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    errors: tuple[str, ...] = ()
    handler: Handler | None = None
    # An event stream: the name of its events.
    event: str = ""
    stream: Stream | None = None
    # A browser comes here as to a page, and is led on (303); what is refused, to the staff's page.
    leads: bool = False


def leading(address: str) -> Response:
    """Leads a browser on to `address`, which it asks for with GET (RFC 9110, section 15.4.4)."""
    return Response(status_code=303, headers={"Location": address})


def forget_errand(answer: Response) -> None:
    """The browser is back from the directory, or will begin anew."""
    answer.delete_cookie(ERRAND, path="/", secure=True, httponly=True, samesite="lax")


def led_back(error: RefusedError) -> Response:
    """Leads to the staff's page, which says in words what is refused."""
    answer = leading(f"{STAFF_PAGE}#refused={error.key}")
    forget_errand(answer)
    return answer


async def called(endpoint: Endpoint, service: Service, request: Request) -> Call:
    """Find out who asks for what. Raises RefusedError for who asks, then for what is sent."""
    house = await service.houses.get()
    call = Call(service, request, house, None)
    changes = endpoint.who in ("page", "staff") and endpoint.method != "GET"
    if changes and request.headers.get(OWN_PAGES) != "1":
        raise RefusedError("forged")
    if endpoint.who in ("anyone", "page", "staff") and COOKIE in request.cookies:
        call.staff = await service.sessions.find(request.cookies[COOKIE], house)
    if endpoint.who == "staff" and call.staff is None:
        raise RefusedError("not_signed_in")
    if endpoint.who == "ticket":
        call.seat = service.signer.read(Ticket, _bearer(request))
        if call.seat.tenant != house.tenant:
            raise RefusedError("not_allowed")
    elif endpoint.who in ("seat", "moderator"):
        call.seat = service.signer.read(Seat, _bearer(request))
        if endpoint.who == "moderator":
            await service.moderation.moderated(call.seat, house)
        else:
            await service.visits.seated(call.seat, house)
    if endpoint.asks:
        call.body = await _body(endpoint.asks, request)
    return call


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise RefusedError("not_signed_in")
    return token


async def _body(model: type[BaseModel], request: Request) -> BaseModel:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedError("malformed", field="content-type")
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > MOST_BYTES:
            raise RefusedError("too_large")
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        # Names of our own fields alone: what was sent may be a secret.
        known = [str(one) for one in first["loc"] if one in model.model_fields]
        raise RefusedError("malformed", field=known[0] if known else "") from error
