"""Installed by the wizard in a browser: tried from the stick first, then from the disk, as one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from builder.artifacts import Artifacts
from builder.machines.equipment import Drive, MachineOptions
from builder.machines.machine import STARTING, Machine
from builder.machines.shell import wait_for
from tests.boot.conftest import House
from tests.boot.disks import archive, written
from tests.boot.test_install import runs_from_disk
from tests.boot.test_keys import SECONDS, code_shown, until_shown
from tests.box.browser import browser, visit
from tests.box.clerk import go_on, open_with_code, shows
from tests.box.screens import SCREENS, WIDTHS, keep_picture, look

pytestmark = pytest.mark.boot

MEANT, OTHER = "QEMU NVMe Ctrl", "QEMU HARDDISK"
# Copying and checking are emulated.
COPY_MS = 900_000.0
PAGE_MS = 120_000.0
CHOICE = "Ausprobieren oder installieren?"


def apart(action: Callable[..., object], *arguments: object) -> None:
    """Have QEMU do something while a browser is open: its loop and Playwright's share no thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(action, *arguments).result()


def keep_pictures(machine: Machine, page: Page, name: str) -> None:
    """Of a page that draws itself anew meanwhile, and of the screen at the same time."""
    for size, width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        keep_picture(page, f"{name}-de-{size}")
    apart(machine.screenshot, SCREENS / f"{name}-console.png")


def asked(page: Page, name: str) -> None:
    """Choose the NVMe disk and type a name."""
    page.check("[value='anew /dev/nvme0n1']")
    page.fill("#name", name)
    go_on(page)


@pytest.mark.slow  # Too long for every run: with --all.
@pytest.mark.timeout(2400)
def test_tried_from_the_stick_then_installed_and_gone_on_with_in_the_wizard(
    house: House, artifacts: Artifacts, axe: str
) -> None:
    """A wrong name and a failed try on the way; of two disks the one that was named is written."""
    drives = (Drive("nvme"), Drive("sata", content=archive(house.stage), serial="R-2"))
    options = MachineOptions(door=house.door, stick=True, drives=drives)
    with (
        Machine(house.stage, artifacts, house.owner, options) as machine,
        browser(house.stage) as chromium,
    ):
        untouched = [written(machine.drive(number)) for number in range(len(drives))]
        machine.wait_until_ready()
        wait_for(lambda: code_shown(machine), SECONDS, "No code was shown.")
        apart(machine.screenshot, SCREENS / "install-offered-console.png")
        apart(machine.press, "d")
        until_shown(machine, "Vom Stick installieren", "QEMU NVMe Ctrl, 17 GB")
        apart(machine.screenshot, SCREENS / "install-asked-console.png")
        apart(machine.press, "1", "ret")
        until_shown(machine, "seinen Namen")
        apart(machine.screenshot, SCREENS / "install-name-console.png")
        apart(machine.press, "esc")
        wait_for(lambda: code_shown(machine), SECONDS, "The screen is not what it was before.")
        page = visit(chromium).new_page()
        page.set_default_timeout(PAGE_MS)
        former = code_shown(machine)
        open_with_code(page, machine.address, former)
        shows(page, CHOICE, PAGE_MS)
        for words in (f"{MEANT}, 17 GB", f"{OTHER}, 17 GB", "ARCHIV (vfat)"):
            expect(page.get_by_text(words)).to_be_visible()
        look(page, axe, "install-choice-de")

        # Tried from the stick: two steps are answered there.
        page.check("[value=stick]")
        go_on(page)
        shows(page, "Netzwerk", PAGE_MS)
        go_on(page)
        page.fill("#name", "Gemeinde Musterhausen")
        go_on(page)
        shows(page, "Wer erreicht das Gerät?", PAGE_MS)
        page.goto(f"https://{machine.address}/setup/summary")
        look(page, axe, "install-summary-de")
        page.get_by_role("link", name="Auf einem Datenträger installieren").click()
        shows(page, CHOICE, PAGE_MS)

        asked(page, OTHER)
        expect(page.get_by_role("alert")).to_contain_text("Es wurde nichts geschrieben")
        look(page, axe, "install-wrong-name-de")
        # What copies fails, as it does on a disk that takes nothing.
        machine.shell("mount --bind /usr/bin/false /usr/bin/systemd-repart")
        asked(page, MEANT)
        expect(page.get_by_role("alert")).to_contain_text(
            "bevor etwas geschrieben wurde", timeout=PAGE_MS
        )
        look(page, axe, "install-failed-de")
        machine.shell("umount /usr/bin/systemd-repart")
        assert [written(machine.drive(number)) for number in range(len(drives))] == untouched

        asked(page, MEANT.lower())
        shows(page, "Das Gerät wird installiert", PAGE_MS)
        until_shown(machine, "Prozent")
        keep_pictures(machine, page, "install-copying")
        shows(page, "Installiert: Bitte jetzt den Stick abziehen", COPY_MS)
        expect(page.get_by_text("ziehen Sie jetzt den Stick ab")).to_be_visible()
        look(page, axe, "install-done-de")
        apart(machine.screenshot, SCREENS / "install-done-console.png")

        before = machine.serial().count(STARTING)
        apart(machine.pull_stick)
        machine.expect_start(before)
        runs_from_disk(machine)
        wait_for(lambda: code_shown(machine), SECONDS, "No code was shown.")
        assert code_shown(machine) != former
        until_shown(machine, machine.address)
        page.get_by_role("link", name="Gerät wieder öffnen").click()
        shows(page, "Willkommen · Welcome", PAGE_MS)
        open_with_code(page, machine.address, code_shown(machine))
        shows(page, "Wer erreicht das Gerät?", PAGE_MS)
        look(page, axe, "install-gone-on-de")
        page.goto(f"https://{machine.address}/setup/house")
        expect(page.locator("#name")).to_have_value("Gemeinde Musterhausen")
        assert written(machine.drive(1)) == untouched[1]
