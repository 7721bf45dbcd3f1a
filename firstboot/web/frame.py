"""What all pages share: who sits there and what may be seen, how a page is drawn, what went wrong.

No state but sessions: answers lie in the draft, with root's side.
"""

import base64
import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from firstboot.image import image_version
from firstboot.texts import LANGUAGES, Said, SaidError, say
from firstboot.web.agent import Agent
from firstboot.web.forms import Answers
from firstboot.web.session import COOKIE, Role, Session, Sessions, genuine
from firstboot.web.steps import later, steps

TEMPLATES = Path(__file__).parent / "templates"
# What set-up asks, and what administrators may change beside it.
STEPS = steps()
LATER = later()
UPLOAD_BYTES = 600_000
SIGN_IN = "/admin/sign-in"
# The query of who has come from another site and goes on from a page of ours.
ENTERED = "entered"
# The query of who has sent a form of the wizard when it was closed already.
CLOSED = "closed"
# The query of who was signed in, and is no more: it is too long ago, or name or password changed.
OVER = "over"

Handler = Callable[[Request, Session], Awaitable[Response]]


@dataclass(frozen=True)
class Page:
    """Where a person is in the wizard: `number` of `of`, counted from 1."""

    name: str
    number: int
    of: int


def _pages() -> dict[str, Page]:
    names = ("language", "code", *STEPS, "summary")
    return {name: Page(name, number, len(names)) for number, name in enumerate(names, 1)}


PAGES = _pages()


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def preferred(request: Request) -> str:
    """The first language of the browser's list that the box speaks (RFC 9110, section 12.5.4)."""
    for one in request.headers.get("Accept-Language", "").split(","):
        language = one.split(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def download(content: bytes, kind: str, name: str) -> Response:
    """`content` as a file that the browser keeps under `name`."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=headers)


class Frame:
    """The part of the web application that is the same on all pages."""

    def __init__(self, agent: Agent, sessions: Sessions) -> None:
        self.agent = agent
        self.sessions = sessions
        self.environment = _templates()

    async def ask(self, session: Session, verb: str, **arguments: object) -> Any:
        """Ask root's side, with the permit of who sits there. Raises SaidError as it does."""
        return await self.agent(verb, permit=session.permit, **arguments)

    async def state(self, session: Session) -> dict[str, Any]:
        """How far the box is. SaidError for an administrator whom root's side knows no more.

        Anybody may ask for that, so root's side does not refuse it by itself.
        """
        found: dict[str, Any] = await self.ask(session, "state")
        if session.role == "administrator" and found["settings"] is None:
            raise SaidError("setup.not_allowed")
        return found

    def page(
        self, template: str, session: Session, status: int = 200, **content: object
    ) -> HTMLResponse:
        """Draw a page in the session's language."""

        def text(key: str | Said, **values: object) -> str:
            if isinstance(key, Said):
                return key.text(session.language)
            return say(session.language, key, **values)

        def has_text(key: str) -> bool:
            try:
                say(session.language, key)
            except KeyError:
                return False
            return True

        base = "/admin" if session.role == "administrator" else "/setup"
        drawn = self.environment.get_template(template).render(
            t=text,
            has_text=has_text,
            session=session,
            base=base,
            version=image_version(),
            pages=PAGES,
            **content,
        )
        return HTMLResponse(drawn, status, headers={"Cache-Control": "no-store"})

    def problem(self, session: Session, status: int, said: Said, back: str = "") -> Response:
        """A page with one sentence, and a way on."""
        home = "/admin/" if session.role == "administrator" else "/setup/"
        return self.page("problem.html.j2", session, status, said=said, back=back or home)

    def opened(self, session: Session, response: Response) -> Response:
        """Send the session's cookie along."""
        response.set_cookie(
            COOKIE, session.token, secure=True, httponly=True, samesite="strict", path="/"
        )
        return response

    async def answers(self, request: Request) -> Answers:
        """What a form says; files as base64. Raises SaidError where one is too large."""
        found: dict[str, str] = {}
        form = await request.form()
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read(UPLOAD_BYTES + 1)
                if len(content) > UPLOAD_BYTES:
                    raise SaidError("setup.file_too_large", limit=UPLOAD_BYTES // 1000)
                found[name] = base64.b64encode(content).decode()
            else:
                found[name] = value
        return found

    async def _refused(self, request: Request, session: Session) -> Response | None:
        """None where a form is whole and was drawn for this session, else what is wrong with it."""
        try:
            form = await request.form(max_files=4, max_fields=80, max_part_size=UPLOAD_BYTES)
        except (HTTPException, FormParserError) as error:
            if isinstance(error, HTTPException) and "size" in error.detail:
                said = Said("setup.file_too_large", {"limit": UPLOAD_BYTES // 1000})
                return self.problem(session, 413, said)
            return self.problem(session, 400, Said("setup.forged"))
        if not genuine(session, str(form.get("form", ""))):
            return self.problem(session, 403, Said("setup.forged"))
        return None

    def _sent_away(self, session: Session, role: Role | None, fresh: bool) -> str:
        """Where somebody is sent who has no business here; empty for who has."""
        if role is None or (session.role == role and not fresh):
            return ""
        if role == "administrator":
            return SIGN_IN
        return "/admin/" if session.role == "administrator" else "/setup/"

    async def _handle(
        self, request: Request, session: Session, handler: Handler, closes: bool
    ) -> Response:
        if request.method == "POST" and (refused := await self._refused(request, session)):
            return refused
        try:
            if closes and session.role == "clerk" and (await self.state(session))["complete"]:
                # Who has just sent something is told that it was not kept.
                away = f"{SIGN_IN}?{CLOSED}" if request.method == "POST" else "/admin/"
                return RedirectResponse(away, 303)
            return await handler(request, session)
        except SaidError as error:
            if error.said.key == "setup.not_allowed":
                # Root's side does not know this person any more.
                self.sessions.end(session)
                away = f"{SIGN_IN}?{OVER}" if session.role == "administrator" else "/setup/"
                return RedirectResponse(away, 303)
            return self.problem(session, 409, error.said)

    def _turned_back(self, request: Request) -> Response | None:
        """What somebody without a cookie gets who comes by a form, or from another site.

        No cookie of ours goes with it: browsers keep back the one they have when another site sends
        them here, and a new one in its place would sign people out.
        """
        if request.method == "POST":
            return self.problem(self._visitor(request), 403, Said("setup.forged"))
        elsewhere = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        if not elsewhere or request.url.query == ENTERED:
            return None
        way = f"{request.url.path}?{ENTERED}"
        return self.page("enter.html.j2", self._visitor(request), way=way)

    def route(
        self, role: Role | None, handler: Handler, *, closes: bool = False
    ) -> Callable[[Request], Any]:
        """Wrap `handler`: find the session, check its role and the form's mark, explain errors.

        closes: not for clerks any more once set-up is complete.
        """

        async def handle(request: Request) -> Response:
            # Starlette takes a path with a line's end behind it for the same path, and nginx, which
            # closes and slows some paths down, for another one.
            if request.scope["path"].endswith("\n"):
                raise HTTPException(404)
            session = self.sessions.find(request.cookies.get(COOKIE))
            fresh = session is None
            if session is None:
                if turned_back := self._turned_back(request):
                    return turned_back
                session = self.sessions.begin(language=preferred(request))
            elif session.used + 60 < datetime.datetime.now(datetime.UTC).timestamp():
                self.sessions.keep(session)
            if away := self._sent_away(session, role, fresh):
                if away == SIGN_IN and fresh and COOKIE in request.cookies:
                    away = f"{SIGN_IN}?{OVER}"
                response: Response = RedirectResponse(away, 303)
            else:
                response = await self._handle(request, session, handler, closes)
            response.headers.setdefault("Cache-Control", "no-store")
            return self.opened(session, response) if fresh else response

        return handle

    def _visitor(self, request: Request) -> Session:
        """Who sits there, for a page that says no more than that something is wrong."""
        session = self.sessions.find(request.cookies.get(COOKIE))
        return session or Session("", "", preferred(request))

    async def missing(self, request: Request, error: Exception) -> Response:
        """A page that does not exist, or not in this way."""
        assert isinstance(error, HTTPException)
        response = self.problem(self._visitor(request), error.status_code, Said("setup.not_found"))
        response.headers.update(error.headers or {})
        return response

    async def broken(self, request: Request, error: Exception) -> Response:
        """A fault of ours: its details are for the journal, where Starlette lets it go on to."""
        del error
        return self.problem(self._visitor(request), 500, Said("setup.broken"))
