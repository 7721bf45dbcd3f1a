"""The pages that follow the summary: what is being done, the handover sheet, the test room."""

import asyncio
import datetime
import json
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from firstboot import handover, progress
from firstboot.image import image_version
from firstboot.texts import Said, SaidError
from firstboot.web.frame import Frame, download
from firstboot.web.session import Session
from firstboot.web.words import told

ADDRESSES = Path("/run/ratssaal/address.json")
EVENT_SECONDS = 0.5


class Outcome:
    """Shows how far the box has come, and what it is good for afterwards."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    async def watch(self, request: Request, session: Session) -> Response:
        """How far it has come; draws itself anew while there is something to wait for."""
        del request
        now = progress.read()
        state = await self.frame.state(session)
        if now and now["finished"] and state["pending"]:
            now = None  # of the time before: what was asked for last has not begun yet
        if now is None and not state["pending"]:
            away = "/admin/" if state["complete"] else "/setup/"
            return RedirectResponse(away, 303)
        return self.frame.page(
            "progress.html.j2",
            session,
            progress=now,
            notes=[told(Said(key, values), session.language) for key, values in now["notes"]]
            if now
            else [],
            done=bool(now and now["finished"]),
            ok=bool(now and now["ok"]),
            state=state,
        )

    async def events(self, request: Request, session: Session) -> Response:
        """The same as server-sent events: `state`, each time that something has changed."""

        async def stream() -> AsyncIterator[str]:
            last = ""
            while not await request.is_disconnected():
                found = progress.read()
                ended = found is None or found["finished"]
                try:
                    pending = ended and (await self.frame.state(session))["pending"]
                except SaidError:
                    return  # the browser asks again by itself
                now = json.dumps(None if pending else found)
                if now != last:
                    last = now
                    yield f"event: state\ndata: {now}\n\n"
                if ended and not pending:
                    return
                await asyncio.sleep(EVENT_SECONDS)

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def sheet(self, request: Request, session: Session) -> Response:
        """The handover sheet, PDF."""
        del request
        state = await self.frame.state(session)
        if not state["complete"]:
            raise HTTPException(404)
        box, cluster = state["settings"]["box"], state["settings"]["cluster"]
        found = state["certificate"]
        until = datetime.datetime.fromisoformat(found["not_after"]).date() if found else None
        host = box["host_name"]
        known = json.loads(ADDRESSES.read_text())
        addresses = tuple(known["all"])
        room = f"https://{host}"
        if host == handover.LOCAL_NAME and addresses:
            # Not every phone finds a name that holds inside the house alone.
            primary = known.get("primary")
            room = handover.url(primary if primary in addresses else addresses[0])
        sheet = handover.Sheet(
            house=cluster["house"]["name"],
            host_name=host,
            addresses=addresses,
            version=image_version(),
            certificate=Said(f"setup.certificate.{box['certificate']['kind']}"),
            certificate_until=until,
            administrators=tuple(one["name"] for one in cluster["administration"]["people"]),
            support="",
            test_room=f"{room}/test/",
            made=datetime.datetime.now().astimezone(),
        )
        pdf = await asyncio.to_thread(handover.pdf, sheet, session.language)
        return download(pdf, "application/pdf", "ratssaal.pdf")

    async def room(self, request: Request, session: Session) -> Response:
        """A place in the test room, for the page that asks for it."""
        del request
        found = await self.frame.ask(session, "room", name=session.name or "Test")
        return Response(json.dumps(found), media_type="application/json")
