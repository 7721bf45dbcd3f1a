"""Headless Chromium inside a stage, from a Debian tree of its own, driven by Playwright."""

import base64
import hashlib
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from builder.cache import hash_of
from builder.machines.stage import Stage
from builder.toolbox import Toolbox, open_tree

PACKAGES = Path(__file__).parent / "browsers.packages"
# What Chromium asks its maker for all the same. Names of their own, so that nothing else is hidden.
MAKERS = (
    "accounts.google.com",
    "content-autofill.googleapis.com",
    "optimizationguide-pa.googleapis.com",
    "redirector.gvt1.com",
    "update.googleapis.com",
)
# A browser in a test: no sandbox, as root has none; no service of its maker's; cameras that move,
# not so fast that two processors do little else.
ARGUMENTS = [
    f"--host-resolver-rules={', '.join(f'MAP {one} ~NOTFOUND' for one in MAKERS)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream=fps=10",
    "--use-fake-ui-for-media-stream",
]
# What a page is to show may take its time on a machine that others use, too.
expect.set_options(timeout=20_000)
# What hides an element that has the focus, once the page has scrolled to it (WCAG 2.2, 2.4.11).
COVERED = """async one => {
  const end = performance.now() + 3000;
  for (;;) {
    const {x, y, width, height} = one.getBoundingClientRect();
    const there = document.elementFromPoint(x + width / 2, y + height / 2);
    if (one.contains(there) || there?.closest("label")?.control === one) return null;
    if (performance.now() > end) return there?.outerHTML.slice(0, 200) ?? `the window's edge: ${y}`;
    await new Promise(requestAnimationFrame);
  }
}"""
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
# The browsers that run now.
OPEN: list[Browser] = []


def tree() -> Toolbox:
    """The tree with the browsers, made first where there is none."""
    return open_tree(
        "browsers", hash_of(PACKAGES), PACKAGES, ("usr/bin/chromium", "usr/bin/firefox-esr")
    )


def _pin(pem: str) -> str:
    """The hash of a certificate's public key, as Chromium wants it."""
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key.public_bytes(*form)).digest()).decode()


@contextmanager
def browser(
    stage: Stage, trusted: Sequence[str] = (), *, outside: bool = False
) -> Iterator[Browser]:
    """A browser on the stage's network; it ends with the block.

    outside: it is on the network of the machine on which the stage was made instead. trusted:
    certificates (PEM) whose keys it takes for good, for the relay's TLS as well, which nobody can
    click away.
    """
    arguments = list(ARGUMENTS)
    if trusted:
        arguments.append(f"--ignore-certificate-errors-spki-list={','.join(map(_pin, trusted))}")
    command = tree().command(["chromium"], writable=[stage.folder], own_processes=True)
    program = stage.folder / "chromium"
    words = command if outside else stage.enter(command)
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=arguments)
        OPEN.append(found)
        try:
            yield found
        except BaseException:
            tell()
            raise
        finally:
            OPEN.remove(found)
            found.close()


def tell() -> None:
    """Print what each open page shows, for whoever reads why a test failed."""
    for page in (page for found in OPEN for each in found.contexts for page in each.pages):
        with suppress(Error):
            print(f"{page.url}\n{page.inner_text('body', timeout=2_000)}\n")


def visit(found: Browser, *, phone: bool = False, language: str = "de-DE") -> BrowserContext:
    """A person's browser: nothing remembered, the box's own authority not known to it yet."""
    size: Any = PHONE if phone else DESKTOP
    return found.new_context(
        ignore_https_errors=True,
        locale=language,
        viewport=size,
        permissions=["camera", "microphone"],
    )


class Keyboard:
    """Somebody who has no mouse: Tab until the place is reached, then keys."""

    MOST = 60

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, selector: str) -> None:
        """Press Tab until the element, once it is there, has the focus; else AssertionError."""
        self.page.wait_for_selector(selector, state="attached")
        for _ in range(self.MOST):
            if self.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached with the keyboard on {self.page.url}")

    def type(self, selector: str, text: str) -> None:
        """Reach a field and write `text` in place of what is in it."""
        self.reach(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def choose(self, group: str, value: str) -> None:
        """Reach a group of choices and go to one of them by the arrow keys."""
        self.reach(f"input[name={group}]")
        wanted = f"input[name={group}][value={value}]"
        for _ in range(10):
            if self.page.evaluate("s => document.querySelector(s).checked", wanted):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{value} cannot be chosen with the keyboard")

    def press(self, name: str) -> None:
        """Reach the button called `name`, press it, and wait for the page it leads to."""
        self.go_to(self.page.get_by_role("button", name=name, exact=True))
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def push(self, name: str, role: Literal["button", "link"] = "button") -> None:
        """Reach the button or link called `name` and press it; the page stays."""
        self.go_to(self.page.get_by_role(role, name=name, exact=True))
        self.page.keyboard.press("Enter")

    def go_to(self, wanted: Locator) -> None:
        """Press Tab until `wanted` has the focus, and is seen; AssertionError where it never is."""
        expect(wanted).to_be_visible()
        expect(wanted).to_be_enabled()
        for _ in range(self.MOST):
            if wanted.evaluate("one => one === document.activeElement"):
                # In the middle of a page that scrolls below a bar it may still be hidden by that.
                covered = wanted.evaluate(COVERED)
                assert not covered, f"{wanted} has the focus behind {covered}"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{wanted} cannot be reached with the keyboard")
