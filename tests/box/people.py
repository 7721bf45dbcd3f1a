"""Browsers of people who meet, watched while they do."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from tests.box.browser import visit
from tests.box.meeting import NAME


class People:
    """Browsers of people, watched: nothing comes from elsewhere, no page breaks its own rules."""

    def __init__(self, found: Browser) -> None:
        self._browser = found
        self._contexts: list[BrowserContext] = []
        self.wrong: list[str] = []

    def come(self, language: str = "de", *, phone: bool = False) -> Page:
        """Somebody with a browser of their own."""
        context = visit(
            self._browser, phone=phone, language={"de": "de-DE", "en": "en-GB"}[language]
        )
        allowed = ["camera", "microphone", "clipboard-read", "clipboard-write"]
        context.grant_permissions(allowed)
        self._contexts.append(context)
        context.on("request", lambda request: self._asked(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("console", lambda said: self._said(said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        return page

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != NAME:
            self.wrong.append(url)

    def _said(self, text: str) -> None:
        if "Content Security Policy" in text or "Refused to" in text:
            self.wrong.append(text)

    def close(self) -> None:
        """They go, and it is told what was wrong."""
        for one in self._contexts:
            one.close()
        assert self.wrong == [], self.wrong
