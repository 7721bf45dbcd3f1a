"""Headless Firefox inside a stage, from the same tree as Chromium, driven by its own Marionette.

Playwright needs a Firefox of its own making, or commands that Debian's one does not have yet.
"""

import base64
import contextlib
import itertools
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builder.machines.stage import Stage
from tests.box.browser import tree

FIRST_PORT = 2828
# The start of a browser on a busy machine; a page has the same.
SECONDS = 60.0
Preference = bool | int | str
# Cameras that move without being asked for; nothing that a browser does for its maker.
PREFERENCES: dict[str, Preference] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.region.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.topsites.contile.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "intl.accept_languages": "de-DE",
    "media.autoplay.default": 0,
    "media.gmp-manager.updateEnabled": False,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    # Its settings' server, which no other preference keeps it from: not looked up.
    "network.dns.localDomains": "firefox.settings.services.mozilla.com",
    "network.trr.mode": 5,
    "services.settings.server": "",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "toolkit.telemetry.unified": False,
}
_UNTIL = """
const [expression, done] = arguments;
const condition = new Function(`return ${expression}`);
const look = () => { if (condition()) done(true); else setTimeout(look, 50); };
look();
"""
# An async function of the page, called, and what it came to.
_CALL = """
const [done] = arguments;
(%s)().then(value => done({value}), error => done({error: String(error)}));
"""


class Firefox:
    """One window of a running Firefox. Each call raises AssertionError with Firefox' own words."""

    def __init__(self, connection: socket.socket, *, trusting: bool) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self._numbers = itertools.count(1)
        self._read()
        self._ask("WebDriver:NewSession", acceptInsecureCerts=trusting)
        milliseconds = int(SECONDS * 1000)
        self._ask("WebDriver:SetTimeouts", script=milliseconds, pageLoad=milliseconds)

    def _read(self) -> Any:
        """One message: its length in bytes, a colon, JSON."""
        length = b""
        while (one := self._file.read(1)) != b":":
            assert one, "Firefox has ended"
            length += one
        return json.loads(self._file.read(int(length)))

    def _ask(self, command: str, **parameters: object) -> Any:
        sent = json.dumps([0, next(self._numbers), command, parameters]).encode()
        self._connection.sendall(str(len(sent)).encode() + b":" + sent)
        _, _, error, result = self._read()
        assert error is None, f"{command}: {error['error']}: {error['message']}"
        return result

    def _find(self, selector: str) -> str:
        self.until(f"document.querySelector({json.dumps(selector)})")
        found = self._ask("WebDriver:FindElement", using="css selector", value=selector)
        (element,) = found["value"].values()
        return str(element)

    def goto(self, url: str) -> None:
        """Open `url` and wait until it is loaded."""
        self._ask("WebDriver:Navigate", url=url)

    def click(self, selector: str) -> None:
        """Press an element as a person does, once it is there."""
        self._ask("WebDriver:ElementClick", id=self._find(selector))

    def type(self, selector: str, text: str) -> None:
        """Write `text` into a field, once it is there."""
        self._ask("WebDriver:ElementSendKeys", id=self._find(selector), text=text)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of the page, as JSON can carry it."""
        return self._ask("WebDriver:ExecuteScript", script=f"return {expression}", args=[])["value"]

    def until(self, expression: str) -> None:
        """Wait until an expression of the page is true."""
        self._ask("WebDriver:ExecuteAsyncScript", script=_UNTIL, args=[expression])

    def call(self, function: str) -> Any:
        """What an async function (JavaScript) of the page comes to, as JSON can carry it."""
        found = self._ask("WebDriver:ExecuteAsyncScript", script=_CALL % function, args=[])
        assert "error" not in found["value"], found["value"]["error"]
        return found["value"].get("value")

    def keep_picture(self, file: Path) -> None:
        """A picture of the whole page, for people to look at."""
        found = self._ask("WebDriver:TakeScreenshot", full=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(found["value"]))


def _connect(program: subprocess.Popen[bytes], port: int, log: Path) -> socket.socket:
    """A connection to the Firefox just started; AssertionError where it does not come up."""
    deadline = time.monotonic() + SECONDS
    while program.poll() is None and time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=2 * SECONDS)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError(f"Firefox did not start: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def firefox(
    stage: Stage, *roots: Path, preferences: Mapping[str, Preference] | None = None
) -> Iterator[Firefox]:
    """A Firefox on the stage's network, with more `preferences`; it ends with the block.

    It trusts the authorities in the files `roots` (PEM); without any it takes every certificate for
    pages, though not for TURN, where it always looks.
    """
    number = stage.next_number()
    folder = stage.folder / f"firefox{number}"
    profile = folder / "profile"
    profile.mkdir(parents=True)
    with (profile / "user.js").open("w") as file:
        given = {**PREFERENCES, **(preferences or {}), "marionette.port": FIRST_PORT + number}
        for name, value in given.items():
            file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
    policies = folder / "policies"
    policies.mkdir()
    content = {"policies": {"Certificates": {"Install": [os.fspath(one) for one in roots]}}}
    (policies / "policies.json").write_text(json.dumps(content))
    inside = tree().command(
        ["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", str(profile)],
        environment={"HOME": str(folder), "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
        writable=[stage.folder],
        overlay={"/etc/firefox/policies": policies},
        own_processes=True,
    )
    with (folder / "log").open("wb") as log:
        program = stage.start(inside, stdout=log)
    try:
        with stage.joined():
            connection = _connect(program, FIRST_PORT + number, folder / "log")
        with contextlib.closing(connection):
            yield Firefox(connection, trusting=not roots)
    finally:
        program.kill()
        program.wait()
