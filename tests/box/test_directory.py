"""Signing in by the house's directory on a real box: through nginx and the unit that gets out."""

import ssl
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from builder.artifacts import Artifacts
from builder.machines.stage import GATEWAY, Stage
from tests.box.browser import visit
from tests.box.meeting import NAME, House, opened
from tests.box.screens import look
from tests.box.test_meeting import texts
from tests.unit.meet.provider import CLIENT, SECRET, Provider

pytestmark = pytest.mark.box

BEGIN = "/api/staff/directory"
HOST = {"Host": NAME}
# Root asks the unit behind the socket, past the rooms service; where none starts, nothing comes.
ASK = """python3 -c "
import socket
one = socket.socket(socket.AF_UNIX)
one.connect('/run/ratssaal-openid.sock')
one.sendall(b'{\\"verb\\": \\"where\\"}\\n')
try:
    print(one.recv(4096))
except ConnectionResetError:
    print(b'')
" """


@pytest.fixture
def provider(stage: Stage) -> Iterator[Provider]:
    """The directory, a neighbour of the box."""
    with stage.joined():
        made = Provider(stage.folder, GATEWAY, f"https://{NAME}{BEGIN}/back")
    yield made
    made.close()


def there_and_back(house: House, provider: Provider) -> httpx.Response:
    """Press the button, sign in at the directory, come back."""
    with house.stage.joined():
        begun = house.http.get(BEGIN, headers=HOST)
        assert begun.status_code == 303, begun.text
        trust = ssl.create_default_context(cadata=provider.root)
        at_directory = httpx.get(begun.headers["location"], verify=trust, trust_env=False)
        assert at_directory.status_code == 302, at_directory.text
        back = httpx.URL(at_directory.headers["location"])
        assert back.host == NAME
        return house.http.get(back.raw_path.decode(), headers=HOST)


def by_browser(chromium: Browser, axe: str) -> None:
    """The same as people see it, by keyboard."""
    t = texts("de")
    page = visit(chromium).new_page()
    page.goto(f"https://{NAME}/rooms/")
    button = page.get_by_role("link", name=t("staff.directory"), exact=True)
    expect(button).to_be_visible()
    look(page, axe, "meeting-sign-in-directory-de")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=t("book.title"))).to_be_visible()
    assert page.url == f"https://{NAME}/rooms/"
    page.context.close()


def test_staff_sign_in_by_the_directory(
    stage: Stage, artifacts: Artifacts, provider: Provider, chromium: Browser, axe: str
) -> None:
    openid = {
        "issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET,
        "claim": "groups", "value": "sitzungsdienst", "authority": provider.root,
    }  # fmt: skip
    with opened(stage, artifacts, openid=openid) as house:
        answer = there_and_back(house, provider)
        assert (answer.status_code, answer.headers["location"]) == (303, "/rooms/")
        assert house.ask("GET", "staff")["name"] == "Kanarienvogel"
        assert house.book()["links"]
        by_browser(chromium, axe)
        # Neither the secret nor the person is anywhere but where systemd hands it over.
        found = house.box.run(
            "grep", "-rlE", f"Kanarienvogel|{SECRET}", "/etc", "/run", "/var/log",
            "/var/lib/ratssaal/settings", check=False,
        ).stdout  # fmt: skip
        handed = ("/run/credentials/", "/run/host/credentials/")
        assert [one for one in found.split() if not one.startswith(handed)] == []
        journal = house.box.run("journalctl", "--boot", "--no-pager").stdout
        for word in ("Kanarienvogel", SECRET, "eyJ"):
            assert word not in journal, word
        failed = house.box.run("systemctl", "--failed", "--plain", "--no-legend").stdout
        assert failed == ""

        provider.person["groups"] = ["bauamt"]
        answer = there_and_back(house, provider)
        assert answer.headers["location"] == "/rooms/#refused=directory_person"
        with house.stage.joined():
            answers = [house.http.get(f"{BEGIN}/back", headers=HOST) for _ in range(12)]
        words = {one.headers["location"].partition("#")[2] for one in answers}
        assert words == {"refused=directory_again", "refused=slow"}


def test_without_a_directory_nothing_asks_outside(house: House) -> None:
    assert house.box.shell(ASK).strip() == "b''"
    assert "ratssaal-openid@" not in house.box.shell("systemctl list-units --plain --no-legend")
    with house.stage.joined():
        answer = house.http.get(BEGIN, headers=HOST)
    assert answer.headers["location"] == "/rooms/#refused=no_directory"
