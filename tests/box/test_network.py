"""The box's network as it was asked for: applied, tried, taken back, typed at the box itself."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from builder import call
from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.shell import wait_for
from builder.machines.stage import GATEWAY, PREFIX, Stage
from tests.box.authority import issuer, make_authority, pebble
from tests.box.browser import Keyboard, visit
from tests.box.clerk import APPLY_MS, PASSWORD, code_on_screen, walk
from tests.box.proxy import URL, proxy_only
from tests.box.screens import look
from tests.box.test_answers import NAME, ask, by_acme, change, written

pytestmark = pytest.mark.box

PROBE = Path(__file__).parent / "probe.py"
TYPIST = Path(__file__).parent / "typist.py"
CARD = "host0"  # of every container
FIXED = f"{PREFIX}.20"
NOBODY = f"{PREFIX}.9"
OWN = {"kind": "own"}


def static(**more: Any) -> dict[str, Any]:
    """A fixed address for the box's card, with the stage's gateway."""
    fixed = {"mode": "static", "card": CARD, "address": f"{FIXED}/24", "gateway": GATEWAY}
    return {**fixed, "dns": [GATEWAY], **more}


def addresses(box: Box) -> list[str]:
    """The IPv4 and IPv6 addresses of the box's card by which others reach it."""
    told = json.loads(box.shell(f"ip -json address show {CARD}"))
    return [one["local"] for one in told[0]["addr_info"] if one["scope"] == "global"]


def rewire(box: Box, network: dict[str, Any]) -> None:
    """Change the network as an administrator does on the page, and wait for what comes of it."""
    draft = ask(box, "draft")
    ask(box, "put", step="network", part={"box": {"network": network}}, revision=draft["revision"])
    ask(box, "apply", who="Anna")
    box.run("systemctl", "start", "ratssaal-converge.service", check=False)


def progress(box: Box) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(box.shell("cat /run/ratssaal/progress.json"))
    return found


def reached(stage: Stage, address: str) -> str:
    """What the box says at `address` to somebody else on the bridge."""
    program = (
        "import ssl,urllib.request as u; c=ssl._create_unverified_context();"
        f"print(u.urlopen('https://{address}/.well-known/ratssaal',timeout=5,context=c).read())"
    )
    return stage.run(["python3", "-c", program])


def test_a_fixed_address_is_applied_and_kept_over_a_restart(
    stage: Stage, artifacts: Artifacts
) -> None:
    with Box(stage, artifacts, credentials=written(stage, OWN)) as box:
        before = box.address
        assert before != FIXED
        rewire(box, static(time_servers=["time.example", "192.0.2.123"]))
        assert progress(box)["ok"], progress(box)
        assert progress(box)["stages"][0] == ["network", "done"], box.shell(
            "journalctl --no-pager -o cat -u ratssaal-converge.service"
        )
        assert addresses(box) == [FIXED]
        wait_for(lambda: box.address == FIXED, 20, "The box does not tell its new address.")
        assert '"ready": true' in reached(stage, FIXED)
        assert box.shell("ip route show default").split()[2] == GATEWAY
        assert f"DNS Servers: {GATEWAY}" in box.shell(f"resolvectl --no-pager status {CARD}")
        clock = box.shell("systemd-analyze cat-config systemd/timesyncd.conf")
        assert "NTP=time.example 192.0.2.123" in clock
        box.stop()
        box.start()
        assert box.address == FIXED
        assert box.shell("systemctl --failed --no-legend --plain") == ""
        # A second time nothing changes, and back to DHCP all is as it was.
        script = (
            "from firstboot import converge; from firstboot.store import Store;"
            " print(converge.play(Store().settings(2), True).stdout)"
        )
        run = ["env", "PYTHONPATH=/usr/lib/ratssaal", "python3", "-c", script]
        assert "changed=0" in box.run(*run).stdout
        rewire(box, {"mode": "dhcp", "card": None, "address": None, "gateway": None, "dns": []})
        assert progress(box)["ok"], progress(box)
        assert FIXED not in addresses(box)


def test_sound_goes_first_on_a_line_whose_upload_is_named(
    stage: Stage, artifacts: Artifacts
) -> None:
    def sent(one: str) -> int:
        """Bytes that a class of the line has sent (tc(8))."""
        listed = json.loads(box.shell(f"tc -json -statistics class show dev {CARD}"))
        return int(next(each["stats"]["bytes"] for each in listed if each["handle"] == one))

    def rates() -> list[int]:
        listed = json.loads(box.shell(f"tc -json class show dev {CARD}"))
        return sorted(each["ceil"] * 8 // 10**6 for each in listed)

    with Box(stage, artifacts, credentials=written(stage, OWN)) as box:
        rewire(box, {"uplink": 40})
        assert progress(box)["ok"], progress(box)
        # The stage's addresses are nobody's own: all of it is outside of the house.
        wait_for(lambda: rates() == [38, 38, 38, 10000], 20, "The line was not taken over.")
        before, sound = sent("1:20"), sent("1:10")
        reached(stage, box.address)
        assert sent("1:20") > before
        assert sent("1:10") == sound
        assert call.hold(box, stage).held()
        assert sent("1:10") > sound
        # With an address in its network, the stage is the house, and nothing in it is held up.
        rewire(box, static(uplink=2))
        assert progress(box)["ok"], progress(box)
        wait_for(lambda: rates() == [1, 1, 1, 10000], 20, "The line was not changed.")
        before, house = sent("1:20"), sent("1:30")
        reached(stage, FIXED)
        assert sent("1:20") == before
        assert sent("1:30") > house
        rewire(box, static(uplink=None))
        wait_for(lambda: not rates(), 20, "The line is still held up.")


def test_an_ipv6_address_with_its_gateway(stage: Stage, artifacts: Artifacts) -> None:
    stage.run(["ip", "address", "add", "2001:db8::1/64", "dev", "br0", "nodad"])
    with Box(stage, artifacts, credentials=written(stage, OWN)) as box:
        rewire(box, static(address="2001:db8::20/64", gateway="2001:db8::1", dns=[]))
        assert progress(box)["ok"], progress(box)
        assert addresses(box) == ["2001:db8::20"]
        assert '"ready": true' in reached(stage, "[2001:db8::20]")


# What is wrong, what is said then, and the answer that is named.
WRONG = (
    ({"gateway": NOBODY}, "network.gateway_silent", "box.network.gateway"),
    ({"address": f"{GATEWAY}/24"}, "network.address_not_there", "box.network.address"),
    ({"card": "enp9s0"}, "network.no_such_card", "box.network.card"),
)


def test_a_wrong_network_is_taken_back_and_the_answer_is_named(
    stage: Stage, artifacts: Artifacts
) -> None:
    with Box(stage, artifacts, credentials=written(stage, OWN)) as box:
        before = box.address
        for wrong, key, answer in WRONG:
            rewire(box, static(**wrong))
            found = progress(box)
            assert (found["finished"], found["ok"]) == (True, False)
            assert found["notes"][0] == [key, {"answer": answer}]
            assert found["notes"][-1][0] == "converge.went_back"
            back = "The address before did not come back."
            wait_for(lambda: addresses(box) == [before], 30, back)
            wait_for(lambda: "true" in reached(stage, before), 20, "It is not served again.")
            assert ask(box, "state")["generation"] == 1


# What stands on the screen, and what is typed then; what was offered is kept by Enter alone.
BY_HAND = (
    ("Woher kommt die Adresse", "draw"),
    ("Where does the address come from", "\x7f2\r"),
    ("Feste Adresse", f"{FIXED}\r"),
    ("Netzlänge: meist", "\r"),
    ("Gateway (Router)", f"{GATEWAY}\r"),
    ("DNS-Server", f"{GATEWAY}\r"),
    ("VLAN-Nummer", "\r"),
    ("Proxy für", "\r"),
    ("Enter stellt das so ein", "\r"),
)


@pytest.mark.parametrize(
    "complete",
    [
        pytest.param(False, id="before set-up"),
        # Too long for every run: with --all.
        pytest.param(True, id="after set-up", marks=pytest.mark.slow),
    ],
)
def test_a_fixed_address_is_typed_at_the_box_itself(
    stage: Stage, artifacts: Artifacts, complete: bool
) -> None:
    credentials = written(stage, OWN) if complete else {}
    with Box(stage, artifacts, credentials=credentials) as box:
        said = box.run("python3", "-c", TYPIST.read_text(), stdin=json.dumps(BY_HAND)).stdout
        assert said.split() == ["network_set"]
        assert addresses(box) == [FIXED]
        wait_for(lambda: "true" in reached(stage, FIXED), 20, "It is not served there.")
        if complete:
            history = ask(box, "history")
            assert [one["who"] for one in history] == ["console", "Antwortdatei"]
        else:
            network = ask(box, "draft")["settings"]["box"]["network"]
            assert (network["mode"], network["gateway"]) == ("static", GATEWAY)
        box.stop()
        box.start()
        assert addresses(box) == [FIXED]
        assert box.shell("systemctl --failed --no-legend --plain") == ""


def test_a_wrong_network_typed_at_the_box_is_taken_back_and_said_on_the_screen(
    stage: Stage, artifacts: Artifacts
) -> None:
    with Box(stage, artifacts) as box:
        before = box.address
        typed = [(shown, NOBODY + "\r" if "Router" in shown else what) for shown, what in BY_HAND]
        said = box.run("python3", "-c", TYPIST.read_text(), stdin=json.dumps(typed)).stdout
        assert said.split() == ["network.gateway_silent", "network_back"]
        wait_for(lambda: addresses(box) == [before], 30, "The address before did not come back.")
        screen = box.shell(
            "PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout"
        )
        assert "Das Gateway antwortet" in screen


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_network_with_nothing_but_a_proxy_ends_in_a_certificate_once_that_is_not_wrong(
    stage: Stage, artifacts: Artifacts
) -> None:
    root = make_authority("Root of the ACME server's own address")
    with (
        pebble(stage, root),
        proxy_only(stage) as proxy,
        Box(stage, artifacts, credentials=written(stage, by_acme(root))) as box,
    ):
        for name in (NAME, f"turn.{NAME}"):
            stage.name(name, box.address)
        assert progress(box)["notes"][0][0] == "acme.directory_unreachable"
        change(box, {"box": {"network": {"proxy": URL}}})
        assert progress(box)["ok"], progress(box)
        assert progress(box)["notes"] == []
        assert "Pebble" in issuer(stage, box.address, NAME)
        assert "CONNECT acme.example:14000" in proxy.asked()


# Too long for every run: with --all.
@pytest.mark.slow
def test_the_page_says_that_a_fixed_address_moves_it_and_goes_on_there(
    stage: Stage, artifacts: Artifacts, chromium: Browser, axe: str
) -> None:
    with Box(stage, artifacts) as box:
        page = visit(chromium).new_page()
        walk(Keyboard(page), box.address, code_on_screen(box))
        draft = ask(box, "draft")
        part = {"box": {"network": static()}}
        ask(box, "put", step="network", part=part, revision=draft["revision"])
        page.reload()
        link = page.locator("#moves a")
        expect(link).to_have_attribute("href", f"https://{FIXED}/setup/")
        look(page, axe, "setup-moves-de")
        page.get_by_role("button", name="Jetzt einrichten").click()
        expect(link).to_have_attribute("href", f"https://{FIXED}/setup/")
        wait_for(lambda: box.address == FIXED, 90, "The box did not move.")
        box.run("systemctl", "start", "ratssaal-converge.service")
        # The page has lost its box, and still says where that is.
        expect(link).to_be_visible()
        link.click()
        expect(page).to_have_url(f"https://{FIXED}/admin/sign-in", timeout=APPLY_MS)
        page.fill("#name", "Anna Beispiel")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Übersicht")


def knock(stage: Stage, box: Box, place: str) -> int:
    """The status that a neighbour gets."""
    url = f"https://{box.address}{place}"
    status: int = json.loads(stage.run([sys.executable, PROBE, "http", url]))[0]
    return status


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_wrong_network_for_administration_is_mended_with_a_code_from_the_box(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    with Box(stage, artifacts, credentials=written(stage, OWN)) as box:
        nobodys = {"cluster": {"administration": {"networks": ["203.0.113.0/24"]}}}
        change(box, nobodys)
        staff = "/api/staff/sign-in"
        places = ("/setup/", "/setup/code", "/admin/", "/admin/sign-in", staff)
        assert [knock(stage, box, one) for one in places] == [403] * 5
        assert knock(stage, box, "/api/house") == 200
        box.run("systemctl", "start", "ratssaal-new-code.service")
        wait_for(lambda: knock(stage, box, "/setup/") == 200, 20, "The code opens nothing.")
        # Whoever only has a password stays outside.
        assert knock(stage, box, "/admin/sign-in") == 403
        assert knock(stage, box, "/admin/sign-in%0A") == 404
        assert knock(stage, box, staff) == 403
        page = visit(chromium).new_page()
        page.goto(f"https://{box.address}/setup/")
        page.get_by_role("button").click()
        page.fill("#code", code_on_screen(box))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Verwaltung")
        page.locator("summary", has_text="Einmalcodes").click()
        page.fill("#networks", "")
        page.get_by_role("button", name="Weiter").click()
        page.get_by_role("button", name="Änderungen übernehmen").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Ihr Gerät ist bereit", timeout=APPLY_MS
        )
        assert knock(stage, box, "/admin/sign-in") == 200
        # It takes no GET: it is the rooms service that says so.
        assert knock(stage, box, staff) == 405
        # The limit is back with the next settings that name one, although the hour is not over.
        lifted = ("test", "-e", "/run/ratssaal-way-back")
        wait_for(lambda: box.run(*lifted, check=False).returncode, 20, "Everybody still gets in.")
        change(box, nobodys)
        assert [knock(stage, box, one) for one in places] == [403] * 5
