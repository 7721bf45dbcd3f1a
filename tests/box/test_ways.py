"""Networks that people come from: whatever lets 443/tcp through is enough to meet.

Two come with Chromium, one with Firefox.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from builder.machines.shell import wait_for
from builder.machines.stage import BRIDGE, GATEWAY
from tests.box.authority import make_authority
from tests.box.company import company, links, meet
from tests.box.firefox import firefox
from tests.box.front_door import behind
from tests.box.meeting import NAME, RELAY, House
from tests.box.rules import rules
from tests.box.test_answers import ask, change
from tests.box.test_certificates import by_files
from tests.box.test_proof import LINE

pytestmark = pytest.mark.box

# The network that all browsers are in: what goes between them and the box, save the addresses and
# names that the stage gives to the box itself.
NETWORK = """
table inet way {
    chain out {
        type filter hook output priority filter; policy accept;
        oifname != "@BRIDGE@" accept
        udp sport { 53, 67 } accept
        @OUT@
    }
    chain in {
        type filter hook input priority filter; policy accept;
        iifname != "@BRIDGE@" accept
        udp dport { 53, 67 } accept
        @IN@
    }
}
"""
# Of what leaves the browsers and of what comes to them. Counted are media on the direct way.
WATCHED = ("udp dport 443 counter", "udp sport 443 counter")
WITHOUT_UDP = ("udp dport 443 counter drop; meta l4proto udp drop", "meta l4proto udp drop")
WEB_ALONE = ("tcp dport 443 accept; udp dport 443 counter drop; drop", "tcp sport 443 accept; drop")
MEDIA_PACKETS = 300  # people's sound alone makes more in two seconds; attempts are fewer


def network(lets: tuple[str, str]) -> str:
    """The table for what `lets` says."""
    text = NETWORK.replace("@BRIDGE@", BRIDGE)
    return text.replace("@OUT@", lets[0]).replace("@IN@", lets[1])


def test_an_open_network_leads_directly(open_house: House) -> None:
    stage = open_house.stage
    with (
        rules(stage, network(WATCHED)) as direct,
        company(open_house, stage, stage, several=True) as those,
    ):
        meet(those, links(open_house.book()))
        wait_for(lambda: direct() > MEDIA_PACKETS, 10, "Media do not go directly.")


@pytest.mark.parametrize("lets", [WITHOUT_UDP, WEB_ALONE], ids=["no-udp", "web-alone"])
def test_a_network_that_lets_web_pages_through_is_enough(
    open_house: House, lets: tuple[str, str]
) -> None:
    stage = open_house.stage
    with (
        rules(stage, network(lets)) as stopped,
        company(open_house, stage, stage, several=True) as those,
    ):
        meet(those, links(open_house.book()))
        # The direct way was looked for, and it was shut.
        assert stopped() > 0


def test_browsers_that_may_use_the_relay_alone_need_nothing_else(open_house: House) -> None:
    stage = open_house.stage
    with (
        rules(stage, network(WATCHED)) as direct,
        company(open_house, stage, stage, several=True, relay_only=True) as those,
    ):
        meet(those, links(open_house.book()))
        assert direct() == 0


# One browser more, for figures that another test has of Chromium: with --all.
@pytest.mark.slow
def test_firefox_too_says_how_good_a_way_is(open_house: House) -> None:
    stage, box = open_house.stage, open_house.box
    given = ask(box, "invite", kind="phone")["pass"]
    with firefox(stage, Path(open_house.authority)) as page:
        page.goto(f"https://{NAME}/test/#{given}")
        page.click("#join")
        for way in ("direct", "relay"):
            row = f"document.querySelector('#checks tr[data-check={way}]')"
            page.until(f"{row}?.dataset.quality")
            said = page.evaluate(f"{row}.innerText")
            print(said)
            assert LINE.search(said), said


# The last of this file: the box has another certificate afterwards.
def test_without_a_second_name_web_and_relay_share_the_first(open_house: House) -> None:
    """The certificate is for no name of the relay's, and none leads to the box."""
    stage, box = open_house.stage, open_house.box
    stage.name(RELAY, GATEWAY)
    root = make_authority("Root of a house with one name")
    change(box, {"box": {"certificate": by_files(root, 90, NAME)}})
    assert behind(stage, box.address, NAME) == "turn"
    file = stage.folder / "root.pem"
    file.write_text(root.pem())
    house = replace(open_house, authority=str(file))
    with rules(stage, network(WEB_ALONE)) as stopped, company(house, stage, stage) as those:
        meet(those, links(house.book()))
        assert stopped() > 0
