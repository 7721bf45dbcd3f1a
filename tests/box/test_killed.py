"""The wizard and set-up, killed in the middle: everybody goes on where they were."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.stage import Stage
from tests.box.authority import issuer, pebble
from tests.box.browser import Keyboard, visit
from tests.box.clerk import (
    ANSWERS,
    APPLY_MS,
    HEADINGS,
    NAME,
    answer,
    code_on_screen,
    go_on,
    open_with_code,
    shows,
    sign_in,
    walk,
)

pytestmark = pytest.mark.box

SECRETS = "/var/lib/ratssaal/secrets"
# Whoever changes answers, and whoever tries a code, waits behind these.
STORE, CODE = f"{SECRETS}/store.lock", f"{SECRETS}/code.lock"
# Root's side waits behind this one from now on, whatever it is asked.
GATE = "/run/gate"
GATED = f"""folder=/run/systemd/system/ratssaal-agent@.service.d
mkdir -p $folder
printf '[Service]\\nExecStartPre=/usr/bin/flock {GATE} true\\n' >$folder/gate.conf
touch {GATE}
systemctl daemon-reload
"""
KILL = "systemctl kill --signal=KILL ratssaal-setup.service"
AWAY = "Das Gerät hat nicht geantwortet"
STEPS = list(ANSWERS)
# Where the whole box loses its power, not only the wizard its process.
POWER_CUTS = ("administrators", "texts")


@contextmanager
def held_up(box: Box, lock: str) -> Iterator[None]:
    """Root's side takes a request and waits behind `lock`, before it has written anything."""
    command = [*box.enter, "flock", lock, "sh", "-c", "echo held; read -r _"]
    holder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        yield
    finally:
        assert holder.stdin
        holder.stdin.close()
        holder.wait()


def send(page: Page) -> None:
    """Press the button, and wait for nothing."""
    page.locator("main form button[type=submit]").first.click(no_wait_after=True)


def kill_before_anything_is_written(
    page: Page, box: Box, *, power: bool = False, lock: str = STORE
) -> None:
    """The form has reached the wizard, which has asked root's side, which has not begun."""
    with held_up(box, lock):
        send(page)
        box.shell(
            # A line with an arrow is somebody who waits for a lock.
            "timeout 30 sh -c 'until grep -q -e \"->\" /proc/locks; do sleep 0.02; done'"
        )
        if power:
            box.kill()
        else:
            box.shell(KILL)
            # The browser is not left with a foreign page: it says what happened and leads on.
            expect(page.get_by_role("alert")).to_contain_text(AWAY)
    if power:
        box.start()


def kill_before_the_answer_arrives(page: Page, box: Box, *, power: bool = False) -> None:
    """Everything is written; the answer is on its way when the wizard dies, and is lost."""
    tools = page.context.new_cdp_session(page)
    caught: list[dict[str, Any]] = []
    tools.on("Fetch.requestPaused", lambda event: caught.append(event))
    tools.send("Fetch.enable", {"patterns": [{"requestStage": "Response"}]})
    send(page)
    deadline = time.monotonic() + 30
    while not caught and time.monotonic() < deadline:
        page.wait_for_timeout(20)  # lets the browser's events in
    assert caught[0]["request"]["method"] == "POST"
    assert caught[0]["responseStatusCode"] == 303
    if power:
        box.kill()
        box.start()
    else:
        box.shell(KILL)
    request = {"requestId": caught[0]["requestId"], "errorReason": "ConnectionReset"}
    tools.send("Fetch.failRequest", request)
    tools.send("Fetch.disable")
    tools.detach()


def choose_a_language(page: Page, box: Box) -> None:
    """Killed at the first page: the choice is kept as soon as it has arrived, and not before."""
    first = f"https://{box.address}/"
    page.goto(first)
    page.check("#en")
    box.shell(GATED)
    kill_before_anything_is_written(page, box, lock=GATE)
    page.goto(first)
    expect(page.locator("#de")).to_be_checked()
    page.check("#en")
    kill_before_the_answer_arrives(page, box)
    page.goto(first)
    expect(page.locator("#en")).to_be_checked()
    page.check("#de")
    go_on(page)


def type_the_code(page: Page, box: Box, code: str) -> None:
    """Killed at the second page: nothing is open before the code was read, and then all is."""
    page.fill("#code", code)
    kill_before_anything_is_written(page, box, lock=CODE)
    page.goto(f"https://{box.address}/setup/network")
    shows(page, "Willkommen · Welcome")
    page.goto(f"https://{box.address}/setup/code")
    page.fill("#code", code)
    kill_before_the_answer_arrives(page, box)
    page.goto(f"https://{box.address}/")


def test_each_step_goes_on_where_it_was(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    """Killed while a form is sent: once before anything is written, once before the answer."""
    with Box(stage, artifacts) as box:
        page = visit(chromium).new_page()
        code = code_on_screen(box)
        choose_a_language(page, box)
        type_the_code(page, box, code)
        for step, after in zip(STEPS, list(HEADINGS)[1:], strict=True):
            power = step in POWER_CUTS
            shows(page, HEADINGS[step])
            answer(page, ANSWERS[step])
            kill_before_anything_is_written(page, box, power=power)
            page.goto(f"https://{box.address}/")
            shows(page, HEADINGS[step])
            done = json.loads(box.shell("cat /var/lib/ratssaal/secrets/draft.json"))["done"]
            assert done == ["language", *STEPS[: STEPS.index(step)]]
            answer(page, ANSWERS[step])
            kill_before_the_answer_arrives(page, box, power=power)
            if step == "house":
                # Who has the browser send the form once more is not told of anybody else.
                page.reload()
            else:
                page.goto(f"https://{box.address}/")
            shows(page, HEADINGS[after])
        assert code_on_screen(box) == code
        # Another browser, which has to show the code again, comes to the same place.
        other = visit(chromium).new_page()
        open_with_code(other, box.address, code)
        shows(other, "Zusammenfassung")
        for step in reversed(STEPS):
            other.get_by_role("link", name="Zurück").click()
            shows(other, HEADINGS[step])
            for name, typed in ANSWERS[step].items():
                assert kept(other, name) == ("" if name.startswith("password") else typed), name
        other.get_by_role("link", name="Zurück").click()
        shows(other, "Willkommen · Welcome")
        assert box.shell("systemctl --failed --no-legend --plain") == ""


def kept(page: Page, name: str) -> str:
    """What stands in a form under `name`."""
    field = page.locator(f"[name={name}]")
    if field.first.get_attribute("type") == "radio":
        field = page.locator(f"[name={name}]:checked")
    return field.input_value()


def wait_until_it_runs(box: Box, stage: str, program: str, then: str) -> None:
    """Wait in the box until set-up is at `stage` and `program` runs, then do `then` at once."""
    box.shell(
        f'timeout 90 sh -c \'until grep -q "\\"{stage}\\", \\"running\\""'
        f' /run/ratssaal/progress.json && pgrep -f "{program}" >/dev/null; do sleep 0.02; done\';'
        f" systemctl kill --signal={then} ratssaal-converge.service"
    )


SLOW = pytest.mark.slow
# The stages of set-up, and what is at work in each.
AT_WORK = {
    "certificate": "[c]ertbot",
    "configuration": "[a]nsible-playbook",
    "services": "[f]irstboot.converge",
}


# One of them in every run, the others with --all.
@pytest.mark.parametrize(
    "at",
    ["configuration", *(pytest.param(one, marks=SLOW) for one in ("certificate", "services"))],
)
def test_a_power_cut_while_it_sets_itself_up(
    stage: Stage, artifacts: Artifacts, chromium: Browser, at: str
) -> None:
    with pebble(stage) as authority, Box(stage, artifacts) as box:
        page = begin(stage, box, chromium, f"{authority.directory}\n{authority.root.pem()}")
        # Stopped first, so that the plug is pulled at this point and not a moment later.
        wait_until_it_runs(box, at, AT_WORK[at], "STOP")
        states = dict(json.loads(box.shell("cat /run/ratssaal/progress.json"))["stages"])
        assert states[at] == "running"
        assert not box.shell("ls /var/lib/ratssaal/settings").count("applied.json")
        box.kill()
        box.start()
        box.shell("timeout 120 systemctl start ratssaal-converge.service")
        assert_in_force(stage, box)
        # The page that was open all the time finds the box by itself; only then is it used again.
        shows(page, "Ihr Gerät ist bereit", APPLY_MS)
        sign_in(page, box.address)


# Too long for every run: with --all.
@pytest.mark.slow
def test_set_up_that_is_killed_begins_again_while_somebody_watches(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    """Once at each stage, and the page that was open all the time ends at the box that is ready."""
    with pebble(stage) as authority, Box(stage, artifacts) as box:
        page = begin(stage, box, chromium, f"{authority.directory}\n{authority.root.pem()}")
        for at, program in AT_WORK.items():
            wait_until_it_runs(box, at, program, "KILL")
        shows(page, "Ihr Gerät ist bereit", APPLY_MS)
        restarts = box.shell("systemctl show -P NRestarts ratssaal-converge.service")
        assert int(restarts) == len(AT_WORK)
        assert_in_force(stage, box)


def begin(stage: Stage, box: Box, chromium: Browser, directory: str) -> Page:
    """Walk through the wizard and press the button."""
    stage.name(NAME, box.address)
    stage.name(f"turn.{NAME}", box.address)
    page = visit(chromium).new_page()
    walk(Keyboard(page), box.address, code_on_screen(box), name=NAME, directory=directory)
    page.get_by_role("button", name="Jetzt einrichten").click()
    return page


def assert_in_force(stage: Stage, box: Box) -> None:
    """One generation, its certificate, and nothing that failed."""
    applied = json.loads(box.shell("cat /var/lib/ratssaal/settings/applied.json"))
    assert (applied["generation"], applied["named"]) == (1, True)
    assert box.shell("ls /var/lib/ratssaal/settings").split() == ["000001.json", "applied.json"]
    assert "Pebble" in issuer(stage, box.address, NAME)
    assert box.shell("systemctl --failed --no-legend --plain") == ""
