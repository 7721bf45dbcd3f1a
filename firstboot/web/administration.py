"""The administrators' pages: signing in, how the box does, bringing settings back, power."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from firstboot.load import measure
from firstboot.texts import Said, SaidError, say
from firstboot.web.condition import health_notes, load_said, meeting_said
from firstboot.web.forms import Answers
from firstboot.web.frame import CLOSED, OVER, SIGN_IN, Frame, download
from firstboot.web.outcome import EVENT_SECONDS
from firstboot.web.session import Session
from firstboot.web.steps import ORDER
from firstboot.web.visitor import inside, sits_at
from firstboot.web.words import (
    certificate_notes,
    changed_words,
    differences,
    imprint_notes,
    in_short,
    told,
)

PREVIEW = "/admin/settings/preview"


class Administration:
    """What administrators see and do once the box is set up."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    async def sign_in(self, request: Request, session: Session) -> Response:
        """Name and password of an administrator."""
        state = await self.frame.state(session)
        if not state["complete"]:
            return RedirectResponse("/setup/", 303)
        said = None
        given: Answers = {}
        if request.method == "POST":
            given = await self.frame.answers(request)
            try:
                found = await self.frame.ask(
                    session,
                    "sign-in",
                    name=given.get("name", ""),
                    password=given.get("password", ""),
                    totp=given.get("totp", ""),
                )
            except SaidError as error:
                said = error.said
            else:
                begun = self.frame.sessions.begin(
                    session, "administrator", found["name"], found["permit"]
                )
                return self.frame.opened(begun, RedirectResponse("/admin/", 303))
        return self.frame.page(
            "sign-in.html.j2",
            session,
            403 if said else 200,
            error=said,
            closed=request.url.query == CLOSED,
            over=request.url.query == OVER,
            typed=given.get("name", ""),
            code=state["code"],
        )

    async def overview(self, request: Request, session: Session) -> Response:
        """How the box does, in plain words, and what can be changed."""
        del request
        busy = asyncio.create_task(asyncio.to_thread(measure))
        state = await self.frame.state(session)
        rooms = await self.frame.ask(session, "rooms")
        draft = await self.frame.ask(session, "draft")
        settings = state["settings"]
        rows = [(name, in_short(name, settings, session.language)) for name in ORDER]
        return self.frame.page(
            "admin.html.j2",
            session,
            state=state,
            notes=[*health_notes(), *certificate_notes(state), *imprint_notes(state)],
            load=[(one, *load_said(one, rooms)) for one in await busy],
            meeting=meeting_said(rooms),
            rows=rows,
            changed=changed_words(draft["changed"], session.language),
            history=await self._history(session, state),
            authority=await self.frame.ask(session, "authority"),
        )

    async def _history(self, session: Session, state: dict[str, Any]) -> list[dict[str, Any]]:
        """All generations, newest first, with `words` for what changed and `state`."""
        history: list[dict[str, Any]] = await self.frame.ask(session, "history")
        for one in history:
            one["words"] = changed_words(one["what"], session.language)
            if one["who"] == "console":
                one["who"] = say(session.language, "admin.at_the_box")
            one["reason"] = ""
            if one["failed"]:
                key, values = one["failed"]
                said, _ = told(Said(key, values), session.language)
                one["reason"] = said.text(session.language)
            newer = one["number"] > state["generation"]
            one["state"] = (
                "in_force"
                if one["number"] == state["generation"]
                else "failed"
                if one["failed"]
                else "pending"
                if newer
                else "earlier"
            )
        return history

    async def undo(self, request: Request, session: Session) -> Response:
        """Bring an earlier state of the settings into force again; asks once more first."""
        form = await request.form()
        number = str(form.get("number", ""))
        if not (number.isascii() and number.isdecimal() and len(number) <= 6):
            raise HTTPException(400)
        if form.get("sure"):
            await self.frame.ask(session, "undo", number=int(number), who=session.name)
            return RedirectResponse("/admin/progress", 303)
        earlier = await self.frame.ask(session, "generation", number=int(number))
        state = await self.frame.state(session)
        changes = differences(
            earlier["what"], state["settings"], earlier["settings"], session.language
        )
        networks = earlier["settings"]["cluster"]["administration"]["networks"]
        address = sits_at(request)
        locked_out = Said("admin.undo_locked_out", {"address": address})
        return self.frame.page(
            "undo.html.j2",
            session,
            earlier=earlier,
            changes=changes,
            open=bool((await self.frame.ask(session, "draft"))["changed"]),
            locked_out=None if inside(address, networks) else locked_out,
        )

    async def power(self, request: Request, session: Session) -> Response:
        """Restart or switch off; asks once more, and says who is meeting."""
        form = await request.form()
        how = str(form.get("how", ""))
        if how in ("reboot", "poweroff") and not form.get("sure"):
            rooms = await self.frame.ask(session, "rooms")
            return self.frame.page(
                "power.html.j2", session, how=how, meeting=meeting_said(rooms), rooms=rooms
            )
        await self.frame.ask(session, "power", how=how)
        return self.frame.problem(session, 200, Said(f"admin.power_{how}"))

    async def recovery(self, request: Request, session: Session) -> Response:
        """The recovery key, for who types the password once more; and that it is written down."""
        said, key = None, ""
        state = await self.frame.state(session)
        if request.method == "POST":
            given = await self.frame.answers(request)
            try:
                if "group" in given:
                    await self.frame.ask(session, "recovery-confirm", typed=given["group"])
                    return self.frame.problem(session, 200, Said("recovery.confirmed"))
                proof = {one: given.get(one, "") for one in ("password", "totp")}
                key = await self.frame.ask(session, "recovery", **proof)
            except SaidError as error:
                if error.said.key == "setup.not_allowed":
                    raise
                said = error.said
        return self.frame.page(
            "recovery.html.j2",
            session,
            403 if said else 200,
            error=said,
            key=key,
            confirmed=state["recovery"] == "confirmed",
        )

    async def recovery_copy(self, request: Request, session: Session) -> Response:
        """The recovery key as the district alone can read it."""
        del request
        content: str = await self.frame.ask(session, "recovery-copy")
        kind = "application/octet-stream"
        return download(base64.b64decode(content), kind, "ratssaal-recovery-key.bin")

    async def reset(self, request: Request, session: Session) -> Response:
        """Factory reset: what is lost, then the password once more and the box's name."""
        said = None
        if request.method == "POST":
            given = await self.frame.answers(request)
            proof = {one: given.get(one, "") for one in ("password", "totp", "typed")}
            try:
                await self.frame.ask(session, "reset", **proof)
            except SaidError as error:
                if error.said.key == "setup.not_allowed":
                    raise
                said = error.said
            else:
                return self.frame.problem(session, 200, Said("reset.begun"))
        state, rooms = await self.frame.state(session), await self.frame.ask(session, "rooms")
        return self.frame.page(
            "reset.html.j2",
            session,
            403 if said else 200,
            error=said,
            name=state["name"],
            meeting=meeting_said(rooms),
        )

    async def support(self, request: Request, session: Session) -> Response:
        """The bundle for support."""
        del request
        content: str = await self.frame.ask(session, "support")
        return download(base64.b64decode(content), "application/gzip", "ratssaal-support.tar.gz")

    async def begin_preview(self, request: Request, session: Session) -> Response:
        """Begin to find out which files the open changes would change."""
        del request
        await self.frame.ask(session, "preview")
        return RedirectResponse(PREVIEW, 303)

    async def preview(self, request: Request, session: Session) -> Response:
        """What will change: in words, and once it is known, the files with their differences."""
        del request
        found = await self.frame.ask(session, "previewed")
        if found["state"] == "none":
            return RedirectResponse("/admin/settings/summary", 303)
        state, draft = await self.frame.state(session), await self.frame.ask(session, "draft")
        changes = differences(
            draft["changed"], state["settings"], draft["settings"], session.language
        )
        return self.frame.page(
            "preview.html.j2", session, found=found, changes=changes, revision=draft["revision"]
        )

    async def preview_events(self, request: Request, session: Session) -> Response:
        """Tells a waiting page when the preview is there (server-sent events)."""

        async def stream() -> AsyncIterator[str]:
            while not await request.is_disconnected():
                try:
                    found = await self.frame.ask(session, "previewed")
                except SaidError:
                    return  # the browser asks again by itself
                if found["state"] != "running":
                    yield 'event: state\ndata: {"stages": [], "finished": true}\n\n'
                    return
                await asyncio.sleep(EVENT_SECONDS)

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def discard(self, request: Request, session: Session) -> Response:
        """Forget changes that are not in force yet."""
        del request
        await self.frame.ask(session, "discard")
        return RedirectResponse("/admin/", 303)

    async def sign_out(self, request: Request, session: Session) -> Response:
        """End the session."""
        del request
        await self.frame.ask(session, "sign-out")
        self.frame.sessions.end(session)
        return RedirectResponse(SIGN_IN, 303)
