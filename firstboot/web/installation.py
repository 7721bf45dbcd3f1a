"""The page before the steps, on a box that runs from a stick: try it from there, or install it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from firstboot.install import state as install
from firstboot.texts import Said, SaidError
from firstboot.web.frame import Frame
from firstboot.web.session import Session

PLACE = "/setup/install"
# The step of the draft that says: somebody has decided to go on from the stick.
STEP = "install"


class Installation:
    """Offers the disks of the box, and shows how far the copying is."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    async def show(self, request: Request, session: Session) -> Response:
        """The choice, or how far it is; without JavaScript the page loads itself anew."""
        state = install.read()
        if state and state.stage != "failed":
            return self._page(session, state=state)
        if request.method == "POST":
            return await self._take(request, session)
        offered = await self.frame.ask(session, "disks")
        if not offered["stick"]:
            return RedirectResponse("/setup/", 303)
        said = Said(*offered["said"]) if offered["said"] else None
        said = (state.said if state else None) or said
        return self._page(session, disks=offered["disks"], said=said)

    async def _take(self, request: Request, session: Session) -> Response:
        given = await self.frame.answers(request)
        chosen = given.get("disk", "")
        if chosen == "stick":
            draft = await self.frame.ask(session, "draft")
            revision = draft["revision"]
            await self.frame.ask(session, "put", step=STEP, part={}, revision=revision)
            return RedirectResponse("/setup/", 303)
        way, _, path = chosen.partition(" ")
        name = given.get("name", "")
        try:
            await self.frame.ask(session, "install", path=path, way=way, name=name)
        except SaidError as error:
            if error.said.key == "setup.not_allowed":
                raise
            offered = await self.frame.ask(session, "disks")
            return self._page(
                session, 422, disks=offered["disks"], said=error.said, chosen=chosen, name=name
            )
        return RedirectResponse(PLACE, 303)

    def _page(self, session: Session, status: int = 200, **content: Any) -> Response:
        usual: dict[str, Any] = {"state": None, "disks": [], "said": None}
        usual |= {"chosen": "", "name": "", "refused": lambda one: Said(one[0], one[1])}
        return self.frame.page("install.html.j2", session, status, **(usual | content))
