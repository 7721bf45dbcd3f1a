"""The web application: which page answers which address, and to whom.

Works without JavaScript.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from firstboot.web.administration import PREVIEW, Administration
from firstboot.web.agent import Agent
from firstboot.web.frame import SIGN_IN, Frame, Handler
from firstboot.web.installation import PLACE, Installation
from firstboot.web.outcome import Outcome
from firstboot.web.proof import Proof
from firstboot.web.session import Role, Sessions
from firstboot.web.wizard import LANGUAGE, Wizard

READ, SEND, BOTH = ["GET"], ["POST"], ["GET", "POST"]


def application(agent: Agent, sessions: Sessions) -> Starlette:
    """All pages, over an agent that does what only root may do."""
    frame = Frame(agent, sessions)
    wizard, outcome, administration = Wizard(frame), Outcome(frame), Administration(frame)
    proof, installation = Proof(frame), Installation(frame)

    def anybody(path: str, handler: Handler) -> Route:
        return Route(path, frame.route(None, handler), methods=BOTH)

    def clerk(path: str, handler: Handler, methods: list[str], *, closes: bool = True) -> Route:
        return Route(path, frame.route("clerk", handler, closes=closes), methods=methods)

    def administrator(path: str, handler: Handler, methods: list[str]) -> Route:
        role: Role = "administrator"
        return Route(path, frame.route(role, handler), methods=methods)

    made = Starlette(
        routes=[
            anybody("/setup/", wizard.language),
            anybody("/setup/code", wizard.code),
            clerk(LANGUAGE, wizard.other_language, BOTH),
            clerk(PLACE, installation.show, BOTH),
            clerk("/setup/summary", wizard.summary, READ),
            clerk("/setup/apply", wizard.apply, SEND),
            # Whoever has set the box up sees how it went, and tries it.
            clerk("/setup/progress", outcome.watch, READ, closes=False),
            clerk("/setup/events", outcome.events, READ, closes=False),
            clerk("/setup/sheet.pdf", outcome.sheet, READ, closes=False),
            clerk("/setup/room", outcome.room, READ, closes=False),
            clerk("/setup/proof", proof.show, READ, closes=False),
            clerk("/setup/proof", proof.again, SEND, closes=False),
            clerk("/setup/proof/events", proof.events, READ, closes=False),
            clerk("/setup/request.csr", wizard.request_file, READ),
            clerk("/setup/ratssaal.crt", wizard.authority_file, READ),
            clerk("/setup/recovery", wizard.recovery, BOTH),
            clerk("/setup/{step}/letter.txt", wizard.letter, READ),
            clerk("/setup/{step}", wizard.step, BOTH),
            anybody(SIGN_IN, administration.sign_in),
            administrator("/admin/", administration.overview, READ),
            administrator("/admin/sign-out", administration.sign_out, SEND),
            administrator("/admin/progress", outcome.watch, READ),
            administrator("/admin/events", outcome.events, READ),
            administrator("/admin/undo", administration.undo, SEND),
            administrator("/admin/power", administration.power, SEND),
            administrator("/admin/recovery", administration.recovery, BOTH),
            administrator("/admin/recovery.bin", administration.recovery_copy, READ),
            administrator("/admin/reset", administration.reset, BOTH),
            administrator("/admin/support", administration.support, SEND),
            administrator("/admin/discard", administration.discard, SEND),
            administrator("/admin/sheet.pdf", outcome.sheet, READ),
            administrator("/admin/room", outcome.room, READ),
            administrator("/admin/proof", proof.show, READ),
            administrator("/admin/proof", proof.again, SEND),
            administrator("/admin/proof/events", proof.events, READ),
            administrator("/admin/request.csr", wizard.request_file, READ),
            administrator("/admin/ratssaal.crt", wizard.authority_file, READ),
            administrator("/admin/settings/summary", wizard.summary, READ),
            administrator("/admin/settings/apply", wizard.apply, SEND),
            administrator(PREVIEW, administration.preview, READ),
            administrator(PREVIEW, administration.begin_preview, SEND),
            administrator("/admin/settings/preview/events", administration.preview_events, READ),
            administrator("/admin/settings/{step}/letter.txt", wizard.letter, READ),
            administrator("/admin/settings/{step}", wizard.step, BOTH),
            # Whoever holds a pass, from wherever; no session.
            Route("/test/pass/place", proof.place, methods=SEND),
            Route("/test/pass/report", proof.report, methods=SEND),
        ],
        exception_handlers={HTTPException: frame.missing, Exception: frame.broken},
    )
    # Behind a proxy Starlette would redirect to an address without TLS.
    made.router.redirect_slashes = False
    return made
