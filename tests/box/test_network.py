"""The box's network as it was asked for: applied, tried, taken back, typed at the box itself."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from builder.artifacts import Artifacts
from builder.container import Box
from builder.shell import wait_for
from builder.stage import GATEWAY, PREFIX, Stage
from builder.toolbox import Toolbox
from tests.box.test_answers import ask, written

pytestmark = pytest.mark.box

CARD = "host0"  # of every container
FIXED = f"{PREFIX}.20"
NOBODY = f"{PREFIX}.9"
OWN = {"kind": "own"}


@pytest.fixture
def stage(toolbox: Toolbox) -> Iterator[Stage]:
    with Stage(toolbox) as stage:
        yield stage


def static(**more: Any) -> dict[str, Any]:
    """A fixed address for the box's card, with the stage's gateway."""
    fixed = {"mode": "static", "card": CARD, "address": f"{FIXED}/24", "gateway": GATEWAY}
    return {**fixed, "dns": [GATEWAY], **more}


def addresses(box: Box) -> list[str]:
    """The IPv4 and IPv6 addresses of the box's card by which others reach it."""
    told = json.loads(box.shell(f"ip -json address show {CARD}"))
    return [one["local"] for one in told[0]["addr_info"] if one["scope"] == "global"]


def change(box: Box, network: dict[str, Any]) -> None:
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
        change(box, static(time_servers=["time.example", "192.0.2.123"]))
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
        change(box, {"mode": "dhcp", "card": None, "address": None, "gateway": None, "dns": []})
        assert progress(box)["ok"], progress(box)
        assert FIXED not in addresses(box)


def test_an_ipv6_address_with_its_gateway(stage: Stage, artifacts: Artifacts) -> None:
    stage.run(["ip", "address", "add", "2001:db8::1/64", "dev", "br0", "nodad"])
    with Box(stage, artifacts, credentials=written(stage, OWN)) as box:
        change(box, static(address="2001:db8::20/64", gateway="2001:db8::1", dns=[]))
        assert progress(box)["ok"], progress(box)
        assert addresses(box) == ["2001:db8::20"]
        assert '"ready": true' in reached(stage, "[2001:db8::20]")


@pytest.mark.parametrize(
    ("wrong", "key", "answer"),
    [
        ({"gateway": NOBODY}, "network.gateway_silent", "box.network.gateway"),
        ({"address": f"{GATEWAY}/24"}, "network.address_not_there", "box.network.address"),
        ({"card": "enp9s0"}, "network.no_such_card", "box.network.card"),
    ],
    ids=["gateway", "taken", "card"],
)
def test_a_wrong_network_is_taken_back_and_the_answer_is_named(
    stage: Stage, artifacts: Artifacts, wrong: dict[str, Any], key: str, answer: str
) -> None:
    with Box(stage, artifacts, credentials=written(stage, OWN)) as box:
        before = box.address
        change(box, static(**wrong))
        found = progress(box)
        assert (found["finished"], found["ok"]) == (True, False)
        assert found["notes"][0] == [key, {"answer": answer}]
        assert found["notes"][-1][0] == "converge.went_back"
        wait_for(lambda: addresses(box) == [before], 30, "The address before did not come back.")
        wait_for(lambda: "true" in reached(stage, before), 20, "It is not served again.")
        assert ask(box, "state")["generation"] == 1
