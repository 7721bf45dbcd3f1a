"""The page that says what works from inside and from outside, and the way in for a phone.

The phone has no session. Its pass travels in bodies of requests alone: in the link it stands behind
the `#`, which browsers keep to themselves (RFC 9110, section 4.2.5), so that it is in no log.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from firstboot.access import passes
from firstboot.texts import SaidError
from firstboot.web.findings import Findings, seen_from
from firstboot.web.frame import Frame, preferred
from firstboot.web.session import Session

ADDRESSES = Path("/run/ratssaal/address.json")
LOCAL_NAME = "ratssaal.local"
MOST_BYTES = 1000
EVENT_SECONDS = 0.5


def _drawn(url: str) -> str:
    """`url` as a QR code: an SVG picture in an address of its own (`data:`)."""
    return segno.make(url, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#fff")


async def _body(request: Request) -> dict[str, Any]:
    """A small JSON object. Raises ValueError for anything else."""
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BYTES:
            raise ValueError("too long")
    found = json.loads(raw)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


async def _where(request: Request) -> str:
    """Whether the browser is inside the house, from the address that the front door names."""
    answer = await asyncio.to_thread(
        subprocess.run, ["ip", "-json", "address"], capture_output=True, text=True, check=False
    )
    host = json.loads(ADDRESSES.read_text()).get("host_name", "")
    outer: tuple[str, ...] = ()
    if host and host != LOCAL_NAME:
        try:
            async with asyncio.timeout(2):
                found = await asyncio.get_running_loop().getaddrinfo(host, 443)
            outer = tuple(str(one[4][0]) for one in found)
        except OSError:
            pass
    return seen_from(request.headers.get("X-Real-IP", ""), json.loads(answer.stdout or "[]"), outer)


class Proof:
    """Shows what works, lets the box try again, and hears what phones have found."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.findings = Findings(frame.sessions.file.with_name("findings.json"))
        self.running: asyncio.Task[None] | None = None
        self.said: SaidError | None = None

    def _begin(self, session: Session) -> None:
        """Have the box call itself, once at a time, while the page is there already."""
        if self.running and not self.running.done():
            return

        async def run() -> None:
            self.said = None
            try:
                self.findings.of_the_box(await self.frame.ask(session, "prove"))
            except SaidError as error:
                self.said = error

        self.running = asyncio.create_task(run())

    async def show(self, request: Request, session: Session) -> Response:
        """The table, and the way into the test room for this browser and for a phone."""
        state = await self.frame.state(session)
        if not state["complete"]:
            return RedirectResponse("/setup/", 303)
        found = self.findings.read()
        if found["box"] is None and self.said is None:
            self._begin(session)
        host = state["settings"]["box"]["host_name"]
        here = request.headers.get("Host", host)
        # A phone outside knows the public name alone; a box without one is for the house.
        there = here if host == LOCAL_NAME else host
        browser, phone = [
            (await self.frame.ask(session, "invite", kind=kind))["pass"]
            for kind in ("browser", "phone")
        ]
        link = f"https://{there}/test/#{phone}"
        return self.frame.page(
            "proof.html.j2",
            session,
            box=found["box"],
            seen=found["seen"],
            running=self.running is not None and not self.running.done(),
            error=self.said.said if self.said else None,
            host=host,
            room=f"https://{here}/test/#{browser}",
            link=link,
            code=_drawn(link),
        )

    async def again(self, request: Request, session: Session) -> Response:
        """Have the box call itself once more."""
        del request
        self._begin(session)
        base = "/admin" if session.role == "administrator" else "/setup"
        return RedirectResponse(f"{base}/proof", 303)

    async def events(self, request: Request, session: Session) -> Response:
        """Server-sent events: `change`, each time that there is something new to show.

        They end with the page's passes (`over`), so that an open page keeps no session alive.
        """
        del session

        async def stream() -> AsyncIterator[str]:
            def now() -> str:
                running = self.running is not None and not self.running.done()
                return json.dumps([running, self.findings.read()])

            last, until = now(), time.monotonic() + passes.SECONDS
            yield ": begun\n\n"
            while not await request.is_disconnected():
                await asyncio.sleep(EVENT_SECONDS)
                if (found := now()) != last:
                    last = found
                    yield "event: change\ndata: {}\n\n"
                if time.monotonic() > until:
                    yield "event: over\ndata: {}\n\n"
                    return

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def place(self, request: Request) -> Response:
        """A place in the test room for whoever holds a pass; no session is begun."""
        try:
            token = str((await _body(request))["pass"])
            found = await self.frame.agent("guest", token=token, language=preferred(request))
        except (ValueError, KeyError):
            return JSONResponse({}, 400)
        except SaidError:
            return JSONResponse({}, 403)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def report(self, request: Request) -> Response:
        """What the holder of a pass has found; the answer says from where that was seen."""
        try:
            body = await _body(request)
            holder = await self.frame.agent("pass", token=str(body.pop("pass")))
            where = await _where(request)
            self.findings.of_a_browser(holder["number"], holder["kind"], where, body)
        except (ValueError, KeyError):
            return JSONResponse({}, 400)
        except SaidError:
            return JSONResponse({}, 403)
        return JSONResponse({"where": where})
