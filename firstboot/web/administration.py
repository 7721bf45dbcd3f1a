"""The administrators' pages: signing in, how the box does, bringing settings back, power."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from firstboot.texts import Said, SaidError, say
from firstboot.web.forms import Answers
from firstboot.web.frame import SIGN_IN, STEPS, Frame
from firstboot.web.session import Session
from firstboot.web.words import certificate_notes, changed_words, healthy


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
            typed=given.get("name", ""),
            code=state["code"],
        )

    async def overview(self, request: Request, session: Session) -> Response:
        """How the box does, in plain words, and what can be changed."""
        del request
        history = await self.frame.ask(session, "history")
        state = await self.frame.state(session)
        for one in history:
            one["words"] = changed_words(one["what"], session.language)
            if one["who"] == "console":
                one["who"] = say(session.language, "admin.at_the_box")
        return self.frame.page(
            "admin.html.j2",
            session,
            state=state,
            health=healthy(),
            notes=certificate_notes(state),
            history=history,
            authority=await self.frame.ask(session, "authority"),
            steps=list(STEPS),
        )

    async def undo(self, request: Request, session: Session) -> Response:
        """Bring an earlier state of the settings into force again."""
        number = str((await request.form()).get("number", ""))
        if not (number.isascii() and number.isdecimal() and len(number) <= 6):
            raise HTTPException(400)
        await self.frame.ask(session, "undo", number=int(number), who=session.name)
        return RedirectResponse("/admin/progress", 303)

    async def power(self, request: Request, session: Session) -> Response:
        """Restart or switch off."""
        how = str((await request.form()).get("how", ""))
        await self.frame.ask(session, "power", how=how)
        return self.frame.problem(session, 200, Said(f"admin.power_{how}"))

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
