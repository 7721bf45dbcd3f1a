"""The pages: language and code, the steps of the wizard, summary, progress, and what follows.

Works without JavaScript. No state but sessions: answers lie in the draft, with root's side.
"""

import asyncio
import base64
import datetime
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from firstboot import handover, progress
from firstboot.image import image_version
from firstboot.texts import LANGUAGES, Said, SaidError, say
from firstboot.web.agent import Agent
from firstboot.web.forms import Answers, Field, FieldError, Note, Step, View
from firstboot.web.session import COOKIE, Role, Session, Sessions, genuine
from firstboot.web.steps import steps

TEMPLATES = Path(__file__).parent / "templates"
STEPS = steps()
UPLOAD_BYTES = 600_000
EVENT_SECONDS = 0.5

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


class Wizard:
    """The web application, over an agent that does what only root may do."""

    def __init__(self, agent: Agent, sessions: Sessions) -> None:
        self.agent = agent
        self.sessions = sessions
        self.busy = asyncio.Lock()
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    # --- what all pages share

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

    def opened(self, session: Session, response: Response) -> Response:
        """Send the session's cookie along."""
        response.set_cookie(
            COOKIE, session.token, secure=True, httponly=True, samesite="strict", path="/"
        )
        return response

    def route(self, role: Role | None, handler: Handler) -> Callable[[Request], Any]:
        """Wrap `handler`: find the session, check its role and the form's mark, explain errors."""

        async def handle(request: Request) -> Response:
            session = self.sessions.find(request.cookies.get(COOKIE))
            fresh = session is None
            if session is None:
                if request.method == "POST":
                    return RedirectResponse(request.url.path, 303)
                session = self.sessions.begin()
            elif session.used + 60 < datetime.datetime.now(datetime.UTC).timestamp():
                self.sessions.keep(session)
            if role and session.role != role and (fresh or session.role != "administrator"):
                place = "/admin/sign-in" if role == "administrator" else "/setup/"
                return self.opened(session, RedirectResponse(place, 303))
            if request.method == "POST":
                form = await request.form(max_files=4, max_fields=80, max_part_size=UPLOAD_BYTES)
                if not genuine(session, str(form.get("form", ""))):
                    said = Said("setup.forged")
                    return self.page("problem.html.j2", session, 403, said=said, back="/setup/")
            try:
                response = await handler(request, session)
            except SaidError as error:
                back = "/admin/" if session.role == "administrator" else "/setup/"
                response = self.page("problem.html.j2", session, 409, said=error.said, back=back)
            return self.opened(session, response) if fresh else response

        return handle

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

    async def complete(self) -> bool:
        """Whether the wizard is closed."""
        return bool((await self.agent("state"))["complete"])

    # --- before the code

    async def language(self, request: Request, session: Session) -> Response:
        """The first page: in which language to go on."""
        if await self.complete() and session.role != "clerk":
            return RedirectResponse("/admin/", 303)
        if request.method == "GET":
            if session.role == "clerk":
                return RedirectResponse(await self.next_place(), 303)
            return self.page("language.html.j2", session, page=PAGES["language"])
        wanted = str((await request.form()).get("language", ""))
        if wanted in LANGUAGES:
            session.language = wanted
            self.sessions.keep(session)
        return RedirectResponse("/setup/code", 303)

    async def code(self, request: Request, session: Session) -> Response:
        """The code from the box's screen, without which nothing opens."""
        if await self.complete():
            return RedirectResponse("/admin/", 303)
        said = None
        if request.method == "POST":
            typed = str((await request.form()).get("code", ""))
            if await self.agent("code", typed=typed):
                begun = self.sessions.begin(session, "clerk", say(session.language, "setup.clerk"))
                part = {"box": {"language": session.language}}
                draft = await self.agent("draft")
                await self.agent("put", step="language", part=part, revision=draft["revision"])
                return self.opened(begun, RedirectResponse(await self.next_place(), 303))
            said = Said("setup.code.wrong")
        state = await self.agent("state")
        return self.page(
            "code.html.j2",
            session,
            403 if said else 200,
            page=PAGES["code"],
            error=said,
            wrong=state["wrong_codes"],
        )

    async def next_place(self) -> str:
        """Where somebody who comes back goes on: the first step that is not done."""
        done = (await self.agent("draft"))["done"]
        if (now := progress.read()) and not now["finished"]:
            return "/setup/progress"
        for name in STEPS:
            if name not in done:
                return f"/setup/{name}"
        return "/setup/summary"

    # --- the steps

    async def _view(self, step: Step, session: Session) -> tuple[View, dict[str, Any]]:
        draft = await self.agent("draft")
        facts = await asyncio.to_thread(step.look, draft["settings"])
        secrets = frozenset(draft["secrets"])
        return View(session.language, draft["settings"], secrets, facts), draft

    def _place(self, session: Session, name: str) -> str:
        return f"{'/admin/settings' if session.role == 'administrator' else '/setup'}/{name}"

    def _after(self, session: Session, name: str) -> str:
        names = [*STEPS, "summary"]
        if session.role == "administrator":
            return "/admin/settings/summary"
        return self._place(session, names[names.index(name) + 1])

    async def step(self, request: Request, session: Session) -> Response:
        """One step: its questions, and taking the answers."""
        step = STEPS.get(request.path_params["step"])
        if step is None:
            raise HTTPException(404)
        if session.role == "clerk" and await self.complete():
            return RedirectResponse("/admin/", 303)
        view, draft = await self._view(step, session)
        fields = step.fields(view)
        error: SaidError | None = None
        if request.method == "POST":
            given = await self.answers(request)
            try:
                revision = int(given.get("revision", "-1"))
                part = await asyncio.to_thread(step.take, given, view)
                await self.agent("put", step=step.name, part=part, revision=revision)
                again = given.get("then") == "again"
                place = (
                    self._place(session, step.name) if again else self._after(session, step.name)
                )
                return RedirectResponse(place, 303)
            except (SaidError, ValueError) as problem:
                error = problem if isinstance(problem, SaidError) else None
                if error is None:
                    raise
                if error.said.key != "store.somebody_else":
                    fields = [_as_typed(one, given) for one in fields]
                else:
                    view, draft = await self._view(step, session)
                    fields = step.fields(view)
        return self._step_page(session, step, view, fields, draft, error)

    def _step_page(
        self,
        session: Session,
        step: Step,
        view: View,
        fields: list[Field],
        draft: dict[str, Any],
        error: SaidError | None,
    ) -> Response:
        names = list(STEPS)
        place = names.index(step.name)
        at_fault = error.name if isinstance(error, FieldError) else ""
        return self.page(
            "step.html.j2",
            session,
            422 if error else 200,
            page=PAGES[step.name],
            step=step,
            fields=fields,
            notes=step.notes(view),
            letters=step.letters(view),
            revision=draft["revision"],
            error=error.said if error else None,
            at_fault=at_fault,
            back=self._place(session, names[place - 1]) if place else "",
            open=any(one.more and (one.name == at_fault) for one in fields),
        )

    async def letter(self, request: Request, session: Session) -> Response:
        """A step's letter as a text file."""
        step = STEPS.get(request.path_params["step"])
        if step is None:
            raise HTTPException(404)
        view, _ = await self._view(step, session)
        for one in step.letters(view):
            text = f"{one.subject}\n\n{one.body}"
            return _download(text.encode(), "text/plain; charset=utf-8", f"{one.name}.txt")
        raise HTTPException(404)

    async def request_file(self, request: Request, session: Session) -> Response:
        """The box's own certificate request, for the data centre."""
        del request, session
        pem: str = await self.agent("request")
        return _download(pem.encode(), "application/pkcs10", "ratssaal.csr")

    # --- summary and what follows

    async def summary(self, request: Request, session: Session) -> Response:
        """All answers once more, and the button that brings them into force."""
        del request
        if session.role == "clerk" and await self.complete():
            return RedirectResponse("/admin/", 303)
        draft = await self.agent("draft")
        missing = [name for name in STEPS if name not in draft["done"]]
        if session.role == "administrator":
            missing = []
        rows = [(name, _in_short(name, draft["settings"], session.language)) for name in STEPS]
        return self.page(
            "summary.html.j2", session, page=PAGES["summary"], rows=rows, missing=missing
        )

    async def apply(self, request: Request, session: Session) -> Response:
        """Begin to bring the draft into force."""
        del request
        if session.role == "clerk" and await self.complete():
            return RedirectResponse("/admin/", 303)
        await self.agent("apply", who=session.name)
        place = "/admin/progress" if session.role == "administrator" else "/setup/progress"
        return RedirectResponse(place, 303)

    async def watch(self, request: Request, session: Session) -> Response:
        """How far it has come; draws itself anew while there is something to wait for."""
        del request
        now = progress.read()
        state = await self.agent("state")
        notes = [Said(key, values) for key, values in now["notes"]] if now else []
        done = bool(now and now["finished"] and not state["pending"])
        return self.page(
            "progress.html.j2",
            session,
            progress=now,
            notes=notes,
            done=done,
            ok=bool(now and now["ok"]),
            state=state,
        )

    async def events(self, request: Request, session: Session) -> Response:
        """The same as server-sent events: `state`, each time that something has changed."""
        del session

        async def stream() -> AsyncIterator[str]:
            last = ""
            while not await request.is_disconnected():
                now = json.dumps(progress.read())
                if now != last:
                    last = now
                    yield f"event: state\ndata: {now}\n\n"
                if now != "null" and json.loads(now)["finished"]:
                    return
                await asyncio.sleep(EVENT_SECONDS)

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def sheet(self, request: Request, session: Session) -> Response:
        """The handover sheet, PDF."""
        state = await self.agent("state")
        if not state["complete"]:
            raise HTTPException(404)
        box, cluster = state["settings"]["box"], state["settings"]["cluster"]
        found = state["certificate"]
        until = datetime.datetime.fromisoformat(found["not_after"]).date() if found else None
        kind = box["certificate"]["kind"]
        host = box["host_name"]
        sheet = handover.Sheet(
            house=cluster["house"]["name"],
            host_name=host,
            addresses=_own_addresses(),
            version=image_version(),
            certificate=Said(f"setup.certificate.{kind}"),
            certificate_until=until,
            administrators=tuple(one["name"] for one in cluster["administration"]["people"]),
            support="",
            test_room=f"https://{host}/test/",
            made=datetime.datetime.now(datetime.UTC),
        )
        pdf = await asyncio.to_thread(handover.pdf, sheet, session.language)
        del request
        return _download(pdf, "application/pdf", "ratssaal.pdf")

    async def room(self, request: Request, session: Session) -> Response:
        """A place in the test room, for the page that asks for it."""
        del request
        found = await self.agent("room", name=session.name or "Test")
        return Response(json.dumps(found), media_type="application/json")

    # --- administration

    async def sign_in(self, request: Request, session: Session) -> Response:
        """Name and password of an administrator."""
        if not await self.complete():
            return RedirectResponse("/setup/", 303)
        said = None
        given: Answers = {}
        if request.method == "POST":
            given = await self.answers(request)
            try:
                name = await self.agent(
                    "sign-in",
                    name=given.get("name", ""),
                    password=given.get("password", ""),
                    totp=given.get("totp", ""),
                )
            except SaidError as error:
                said = error.said
            else:
                begun = self.sessions.begin(session, "administrator", name)
                return self.opened(begun, RedirectResponse("/admin/", 303))
        typed = given.get("name", "")
        return self.page("sign-in.html.j2", session, 403 if said else 200, error=said, typed=typed)

    async def overview(self, request: Request, session: Session) -> Response:
        """How the box does, in plain words, and what can be changed."""
        del request
        state = await self.agent("state")
        history = await self.agent("history")
        return self.page(
            "admin.html.j2",
            session,
            state=state,
            health=_health(),
            notes=_certificate_notes(state),
            history=history,
            steps=list(STEPS),
        )

    async def undo(self, request: Request, session: Session) -> Response:
        """Bring an earlier state of the settings into force again."""
        number = str((await request.form()).get("number", ""))
        if not number.isdecimal():
            raise HTTPException(400)
        await self.agent("undo", number=int(number), who=session.name)
        return RedirectResponse("/admin/progress", 303)

    async def power(self, request: Request, session: Session) -> Response:
        """Restart or switch off."""
        how = str((await request.form()).get("how", ""))
        await self.agent("power", how=how)
        said = Said(f"admin.power_{how}")
        return self.page("problem.html.j2", session, said=said, back="/admin/")

    async def discard(self, request: Request, session: Session) -> Response:
        """Forget changes that are not in force yet."""
        del request, session
        await self.agent("discard")
        return RedirectResponse("/admin/", 303)

    async def sign_out(self, request: Request, session: Session) -> Response:
        """End the session."""
        del request
        self.sessions.end(session)
        return RedirectResponse("/admin/sign-in", 303)

    def application(self) -> Starlette:
        """All routes."""
        both = ["GET", "POST"]

        def one(
            path: str, handler: Handler, role: Role | None, methods: list[str] | None = None
        ) -> Route:
            return Route(path, self.route(role, handler), methods=methods or ["GET"])

        post = ["POST"]
        return Starlette(
            routes=[
                one("/setup/", self.language, None, both),
                one("/setup/code", self.code, None, both),
                one("/setup/summary", self.summary, "clerk"),
                one("/setup/apply", self.apply, "clerk", post),
                one("/setup/progress", self.watch, "clerk"),
                one("/setup/events", self.events, "clerk"),
                one("/setup/sheet.pdf", self.sheet, "clerk"),
                one("/setup/room", self.room, "clerk"),
                one("/setup/request.csr", self.request_file, "clerk"),
                one("/setup/{step}/letter.txt", self.letter, "clerk"),
                one("/setup/{step}", self.step, "clerk", both),
                one("/admin/", self.overview, "administrator"),
                one("/admin/sign-in", self.sign_in, None, both),
                one("/admin/sign-out", self.sign_out, "administrator", post),
                one("/admin/progress", self.watch, "administrator"),
                one("/admin/events", self.events, "administrator"),
                one("/admin/undo", self.undo, "administrator", post),
                one("/admin/power", self.power, "administrator", post),
                one("/admin/discard", self.discard, "administrator", post),
                one("/admin/sheet.pdf", self.sheet, "administrator"),
                one("/admin/room", self.room, "administrator"),
                one("/admin/settings/summary", self.summary, "administrator"),
                one("/admin/settings/apply", self.apply, "administrator", post),
                one("/admin/settings/{step}", self.step, "administrator", both),
            ]
        )


def _as_typed(field: Field, given: Answers) -> Field:
    """The field with what a person has just typed; passwords and files have to be given again."""
    if field.kind in ("password", "file"):
        return field
    return replace(field, value=given.get(field.name, ""))


def _download(content: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


def _in_short(name: str, settings: dict[str, Any], language: str) -> str:
    """What was answered in a step, in one line."""
    box, cluster = settings["box"], settings["cluster"]
    people = ", ".join(one["name"] for one in cluster["administration"]["people"])
    network = box["network"]
    texts: dict[str, str] = {
        "network": network["address"] or say(language, "setup.network.dhcp"),
        "house": cluster["house"]["name"],
        "reach": say(language, f"setup.reach.{box['reach']}"),
        "domain": box["host_name"],
        "certificate": say(language, f"setup.certificate.{box['certificate']['kind']}"),
        "administrators": people or say(language, "setup.nothing_yet"),
        "meetings": say(language, f"setup.meetings.{cluster['meetings']['preset']}"),
        "texts": say(language, "setup.texts.kept"),
        "cluster": say(language, "setup.cluster.alone"),
    }
    return texts[name]


def _own_addresses() -> tuple[str, ...]:
    found = json.loads(Path("/run/ratssaal/address.json").read_text())
    return tuple(found["all"])


def _health() -> bool:
    try:
        found = json.loads(Path("/run/ratssaal/public/state.json").read_text())
    except (OSError, ValueError):
        return False
    return bool(found["ready"])


WARNING_DAYS = 21


def _certificate_notes(state: dict[str, Any]) -> list[Note]:
    """How long the certificate for the public name still lasts."""
    settings = state["settings"]
    if settings is None or settings["box"]["certificate"]["kind"] == "own":
        return [Note("note", Said("admin.certificate_own"))]
    found = state["certificate"]
    host = settings["box"]["host_name"]
    if not found or host not in found["names"]:
        return [Note("problem", Said("admin.certificate_missing", {"name": host}))]
    end = datetime.datetime.fromisoformat(found["not_after"])
    left = (end - datetime.datetime.now(datetime.UTC)).days
    values: dict[str, object] = {"days": left, "date": end.date().isoformat()}
    if left < WARNING_DAYS:
        return [Note("problem", Said("admin.certificate_ends", values))]
    return [Note("good", Said("admin.certificate_good", values))]
