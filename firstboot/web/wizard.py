"""The pages of the wizard: language and code, the steps, the summary."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from firstboot import progress
from firstboot.install import state as install
from firstboot.texts import LANGUAGES, Said, SaidError, say
from firstboot.web import installation
from firstboot.web.forms import Answers, Field, FieldError, Note, Step, View, folds
from firstboot.web.frame import LATER, PAGES, STEPS, Frame, Page, download
from firstboot.web.session import Session
from firstboot.web.steps import ORDER, administrators
from firstboot.web.visitor import sits_at
from firstboot.web.words import differences, explained, in_short

# The page of the language once more, for who has typed the code and goes back.
LANGUAGE = "/setup/language"
# Kinds of questions whose answers nobody could read again, or has not typed.
NOT_TYPED = ("password", "file", "app", "checkbox", "shown")
# A question's name, and what somebody has answered to it: words, or the key of a text.
Unsaved = tuple[str, str | Said]


def _page(name: str, state: Mapping[str, Any]) -> Page | None:
    """Which page of the wizard it is; once the box is set up it is none, but a way back in."""
    return None if state["complete"] else PAGES[name]


class Wizard:
    """Asks all that the box has to know. Administrators change their settings on the same pages."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        # Wrong codes take a second each: they must not fill up the places at root's side.
        self.one_code = asyncio.Lock()

    # --- before the steps

    async def _closed(self, session: Session) -> bool:
        """Whether set-up is complete and nobody has asked for a new code at the box."""
        state = await self.frame.state(session)
        return bool(state["complete"] and (session.role != "guest" or not state["code"]))

    async def language(self, request: Request, session: Session) -> Response:
        """The first page: in which language to go on."""
        if await self._closed(session):
            return RedirectResponse("/admin/", 303)
        if request.method == "GET":
            if session.role == "clerk":
                return RedirectResponse(await self.next_place(session), 303)
            page = _page("language", await self.frame.state(session))
            return self.frame.page("language.html.j2", session, page=page)
        wanted = str((await request.form()).get("language", ""))
        if wanted in LANGUAGES:
            session.language = wanted
            self.frame.sessions.keep(session)
        return RedirectResponse("/setup/code", 303)

    async def other_language(self, request: Request, session: Session) -> Response:
        """The same page for who has typed the code, and goes on in another language without it."""
        if request.method == "GET":
            return self.frame.page("language.html.j2", session, page=PAGES["language"])
        wanted = (await self.frame.answers(request)).get("language", "")
        if wanted in LANGUAGES and wanted != session.language:
            session.language = wanted
            self.frame.sessions.keep(session)
            await self._keep_language(session)
        return RedirectResponse(await self.next_place(session), 303)

    async def _keep_language(self, session: Session) -> None:
        draft = await self.frame.ask(session, "draft")
        part = {"box": {"language": session.language}}
        # Where two come at the same moment, the other has answered this.
        with contextlib.suppress(SaidError):
            revision = draft["revision"]
            await self.frame.ask(session, "put", step="language", part=part, revision=revision)

    async def code(self, request: Request, session: Session) -> Response:
        """The code from the box's screen, without which nothing opens."""
        if await self._closed(session):
            return RedirectResponse("/admin/", 303)
        said = None
        if request.method == "POST":
            typed = str((await request.form()).get("code", ""))
            async with self.one_code:
                permit = await self.frame.ask(session, "code", typed=typed)
            if permit:
                return await self._begin(session, permit)
            said = Said("setup.code.wrong")
        state = await self.frame.state(session)
        return self.frame.page(
            "code.html.j2",
            session,
            403 if said else 200,
            page=_page("code", state),
            error=said,
            wrong=state["wrong_codes"],
        )

    async def _begin(self, session: Session, permit: str) -> Response:
        """A new session for who has typed the code; after set-up, to name administrators anew."""
        sessions, name = self.frame.sessions, say(session.language, "setup.clerk")
        if (await self.frame.state(session))["complete"]:
            begun = sessions.begin(session, "administrator", name, permit)
            return self.frame.opened(begun, RedirectResponse(f"{_base(begun)}/administrators", 303))
        begun = sessions.begin(session, "clerk", name, permit)
        if "language" not in (await self.frame.ask(begun, "draft"))["done"]:
            await self._keep_language(begun)
        return self.frame.opened(begun, RedirectResponse(await self.next_place(begun), 303))

    async def next_place(self, session: Session) -> str:
        """Where somebody who comes back goes on: the first step that is not done."""
        now = progress.read()
        if (now and not now["finished"]) or (await self.frame.state(session))["pending"]:
            return "/setup/progress"
        done = (await self.frame.ask(session, "draft"))["done"]
        if install.under_way():
            return installation.PLACE
        if installation.STEP not in done and (await self.frame.ask(session, "disks"))["stick"]:
            return installation.PLACE
        for name in STEPS:
            if name not in done:
                return f"/setup/{name}"
        return "/setup/summary"

    # --- the steps

    async def _view(
        self, step: Step, session: Session, request: Request, *, look: bool = True
    ) -> tuple[View, dict[str, Any]]:
        draft = await self.frame.ask(session, "draft")
        facts = await asyncio.to_thread(step.look, draft["settings"]) if look else {}
        secrets = frozenset(draft["secrets"])
        unanswered = frozenset(STEPS if session.role == "clerk" else ()) - set(draft["done"])
        view = View(
            session.language, draft["settings"], secrets, facts, sits_at(request), unanswered
        )
        return view, draft

    async def step(self, request: Request, session: Session) -> Response:
        """One step: its questions, and taking the answers."""
        step = _step(request, session)
        if request.method == "POST":
            return await self._take(request, session, step)
        view, draft = await self._view(step, session, request)
        fields, revision = step.fields(view), draft["revision"]
        return await self._step_page(session, step, view, fields, revision)

    async def _take(self, request: Request, session: Session, step: Step) -> Response:
        """Take the answers of a step, which comes back with what is wrong or is to be said."""
        given = await self.frame.answers(request)
        # What comes back for correction knows no more of others' answers than before.
        revision = _number(given.get("revision", ""))
        view, draft = await self._view(step, session, request, look=step.take_looks)
        try:
            part = await asyncio.to_thread(step.take, given, view)
            kept = await self.frame.ask(
                session, "put", step=step.name, part=part, revision=revision
            )
        except SaidError as problem:
            if problem.said.key == "setup.not_allowed":
                raise
            view, draft = await self._view(step, session, request)
            fields = step.fields(view)
            error = explained(problem, step.name, fields, session.language)
            if error.said.key == "store.somebody_else":
                revision = draft["revision"]
                unsaved = _unsaved(fields, given)
            else:
                unsaved = []
                fields = [_as_typed(one, given) for one in fields]
            return await self._step_page(session, step, view, fields, revision, error, unsaved)
        if kept["notes"]:
            told = [Note("note", Said(key, values)) for key, values in kept["notes"]]
            view, draft = await self._view(step, session, request)
            fields, revision = step.fields(view), draft["revision"]
            return await self._step_page(session, step, view, fields, revision, told=told)
        again = given.get("then") == "again"
        return RedirectResponse(_place(session, step.name, after=not again), 303)

    async def _step_page(
        self,
        session: Session,
        step: Step,
        view: View,
        fields: list[Field],
        revision: int,
        error: SaidError | None = None,
        unsaved: Sequence[Unsaved] = (),
        told: Sequence[Note] = (),
    ) -> Response:
        names = _names(session)
        place = names.index(step.name)
        vouching = step.name == "certificate"
        at_fault = error.name if isinstance(error, FieldError) else ""
        first = LANGUAGE if session.role == "clerk" else ""
        return self.frame.page(
            "step.html.j2",
            session,
            422 if error else 200,
            page=PAGES.get(step.name),
            step=step,
            fields=fields,
            notes=[*step.notes(view), *told],
            letters=step.letters(view),
            revision=revision,
            error=error.said if error else None,
            at_fault=at_fault,
            authority=await self.frame.ask(session, "authority") if vouching else None,
            unsaved=unsaved,
            back=f"{_base(session)}/{names[place - 1]}" if place else first,
            folds=folds(fields, at_fault),
        )

    async def letter(self, request: Request, session: Session) -> Response:
        """A step's letter as a text file."""
        step = _step(request, session)
        view, _ = await self._view(step, session, request)
        for one in step.letters(view):
            text = f"{one.subject}\n\n{one.body}"
            return download(text.encode(), "text/plain; charset=utf-8", f"{one.name}.txt")
        raise HTTPException(404)

    async def request_file(self, request: Request, session: Session) -> Response:
        """The box's own certificate request, for the data centre."""
        del request
        pem: str = await self.frame.ask(session, "request")
        return download(pem.encode(), "application/pkcs10", "ratssaal.csr")

    async def authority_file(self, request: Request, session: Session) -> Response:
        """The certificate of the box's own authority, for the computers of the house."""
        del request
        found = await self.frame.ask(session, "authority")
        return download(found["pem"].encode(), "application/x-x509-ca-cert", "ratssaal.crt")

    # --- the end

    async def summary(self, request: Request, session: Session) -> Response:
        """All answers once more, and the button that brings them into force."""
        del request
        return await self._summary(session)

    async def _summary(self, session: Session, error: Said | None = None) -> Response:
        draft = await self.frame.ask(session, "draft")
        changes, stick = None, False
        if session.role == "clerk":
            stick = bool((await self.frame.ask(session, "disks"))["disks"])
        if session.role == "administrator":
            state = await self.frame.state(session)
            changes = differences(
                draft["changed"], state["settings"], draft["settings"], session.language
            )
        missing = [name for name in STEPS if name not in draft["done"]]
        if session.role == "administrator":
            missing = []
        rows = [
            (name, in_short(name, draft["settings"], session.language)) for name in _names(session)
        ]
        return self.frame.page(
            "summary.html.j2",
            session,
            409 if error else 200,
            error=error,
            revision=draft["revision"],
            page=PAGES["summary"],
            rows=rows,
            missing=missing,
            changes=changes,
            stick=stick,
            authority=await self.frame.ask(session, "authority"),
            destination=draft["destination"],
        )

    async def apply(self, request: Request, session: Session) -> Response:
        """Begin to bring the draft into force, once the recovery key is written down.

        What somebody else has changed since the summary was drawn is shown first.
        """
        given = (await self.frame.answers(request)).get("revision")
        revision = None if given is None else _number(given)
        unseen = (await self.frame.state(session))["recovery"] == "unconfirmed"
        if unseen and session.role == "clerk":
            if revision not in (None, (await self.frame.ask(session, "draft"))["revision"]):
                return await self._summary(session, Said("store.somebody_else"))
            return RedirectResponse("/setup/recovery", 303)
        try:
            await self.frame.ask(session, "apply", who=session.name, revision=revision)
        except SaidError as error:
            if error.said.key != "store.somebody_else":
                raise
            return await self._summary(session, error.said)
        place = "/admin/progress" if session.role == "administrator" else "/setup/progress"
        return RedirectResponse(place, 303)

    async def recovery(self, request: Request, session: Session) -> Response:
        """The recovery key of the disk, until its last group was typed; then set-up goes on."""
        said = None
        if request.method == "POST":
            typed = (await self.frame.answers(request)).get("group", "")
            try:
                await self.frame.ask(session, "recovery-confirm", typed=typed)
            except SaidError as error:
                if error.said.key != "recovery.wrong_group":
                    raise
                said = error.said
            else:
                return await self.apply(request, session)
        key = await self.frame.ask(session, "recovery", password="", totp="")
        return self.frame.page(
            "recovery.html.j2", session, 403 if said else 200, error=said, key=key, confirmed=False
        )


def _base(session: Session) -> str:
    return "/admin/settings" if session.role == "administrator" else "/setup"


def _place(session: Session, name: str, *, after: bool) -> str:
    """The page of a step, or the one that follows when it is done."""
    names = [*STEPS, "summary"]
    if after:
        done = session.role == "administrator"
        name = "summary" if done else names[names.index(name) + 1]
    return f"{_base(session)}/{name}"


def _names(session: Session) -> list[str]:
    """The steps that somebody finds: administrators those as well that set-up leaves out."""
    return list(ORDER if session.role == "administrator" else STEPS)


def _step(request: Request, session: Session) -> Step:
    found = {**STEPS, **LATER} if session.role == "administrator" else STEPS
    step = found.get(request.path_params["step"])
    if step is None:
        raise HTTPException(404)
    return step


def _number(text: str) -> int:
    """A revision as a form carries it; -1, which none has, for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1


def _as_typed(field: Field, given: Answers) -> Field:
    """The field with what a person has just typed; passwords and files have to be given again."""
    if field.kind in ("password", "file", "shown"):
        return field
    if field.app:
        # The app on the person's phone has the secret of the page before.
        secret = given.get(f"{field.name}_secret", "")
        known = administrators.SECRET.fullmatch(secret)
        name = given.get(f"name{field.name[-1]}", "")
        made = administrators.app(secret, name or "Ratssaal", "Ratssaal") if known else field.app
        return replace(field, app=made)
    return replace(field, value=given.get(field.name, ""))


def _unsaved(fields: list[Field], given: Answers) -> list[Unsaved]:
    """What a person has answered otherwise than the draft now has it, so that it is not lost."""
    found: list[Unsaved] = []
    for field in fields:
        typed = given.get(field.name, "").strip()
        same = typed.splitlines() == field.value.strip().splitlines()
        if typed and not same and field.kind not in NOT_TYPED:
            labels = {one.value: one.label for one in field.options}
            found.append((field.name, labels.get(typed, typed)))
    return found
