"""Only the named doors answer to a neighbour, and what is behind them is sparing with words."""

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from builder.machines.stage import GATEWAY
from tests.box import front_door
from tests.box.conftest import Town

pytestmark = pytest.mark.box
PROBE = Path(__file__).parent / "probe.py"


def test_only_web_answers_on_tcp(town: Town) -> None:
    answer = town.stage.run([sys.executable, PROBE, "tcp", town.box.address])
    assert json.loads(answer) == [80, 443]


def test_no_other_udp_socket_answers(town: Town) -> None:
    sockets = town.box.run("ss", "--udp", "--listening", "--numeric", "--no-header").stdout
    ports = {int(line.split()[3].rpartition(":")[2]) for line in sockets.splitlines()}
    assert 443 in ports
    others = sorted(str(port) for port in ports - {443})
    answer = town.stage.run([sys.executable, PROBE, "udp", town.box.address, *others])
    assert json.loads(answer) == []


def test_it_answers_to_its_name_in_the_local_network(town: Town) -> None:
    answer = town.stage.run([sys.executable, PROBE, "named", "ratssaal.local", GATEWAY])
    assert json.loads(answer) == [town.box.address]


def test_packet_filter_drops_by_default(town: Town) -> None:
    rules = town.box.run("nft", "list", "ruleset").stdout
    assert re.search(r"hook input priority filter; policy drop;", rules)
    assert re.search(r"hook forward priority filter; policy drop;", rules)


def test_no_card_follows_a_redirect_and_none_comes_up_without_the_filter(town: Town) -> None:
    found = town.box.shell("grep . /proc/sys/net/ipv[46]/conf/*/accept_redirects")
    assert len(found.splitlines()) >= 6
    assert {line.rpartition(":")[2] for line in found.splitlines()} == {"0"}
    needed = town.box.shell("systemctl show --value --property=Requires systemd-networkd.service")
    assert "nftables.service" in needed.split()


def test_store_refuses_services_that_have_no_business_there(town: Town) -> None:
    ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:2379/health').status)"
    assert town.box.run("python3", "-c", ask).stdout.strip() == "200"
    refused = town.box.run(
        "setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups",
        "python3", "-c", ask, check=False,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "refused" in refused.stderr


def test_nobody_is_turned_away_while_the_web_server_reads_its_configuration(town: Town) -> None:
    """Who comes has been connected for a while when the hello arrives, as over a long line."""
    reloads = "for _ in 1 2 3 4 5 6; do systemctl reload nginx; sleep 0.4; done"
    served = 0
    with ThreadPoolExecutor(1) as aside, town.stage.joined():
        reloaded = aside.submit(town.box.shell, reloads)
        while not reloaded.done():
            assert front_door.certificate(town.box.address, seconds=0.05)
            served += 1
        reloaded.result()
    # Only where there was somebody at each reload it says anything.
    assert served > 12


def fetch(town: Town, url: str) -> tuple[int, dict[str, str], str]:
    """Status, headers in small letters, and body of `url`, as a neighbour gets them."""
    answer = town.stage.run([sys.executable, PROBE, "http", url])
    status, headers, body = json.loads(answer)
    return status, headers, body


def test_plain_http_leads_to_https(town: Town) -> None:
    status, headers, _ = fetch(town, f"http://{town.box.address}/somewhere")
    assert status == 308
    assert headers["location"] == f"https://{town.box.address}/somewhere"


def test_start_page_is_guarded(town: Town) -> None:
    status, headers, _ = fetch(town, f"https://{town.box.address}/")
    assert (status, headers["location"].endswith("/setup/")) == (302, True)
    status, headers, body = fetch(town, f"https://{town.box.address}/setup/")
    assert status == 200
    assert "Bitte wählen Sie die Sprache" in body
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "nginx/" not in headers.get("server", "")


def test_state_page_tells_no_more_than_needed(town: Town) -> None:
    _, _, body = fetch(town, f"https://{town.box.address}/.well-known/ratssaal")
    assert set(json.loads(body)) == {"ready", "version"}


def test_administration_of_the_stack_is_closed_to_the_outside(town: Town) -> None:
    path = "twirp/livekit.RoomService/ListRooms"
    status, _, _ = fetch(town, f"https://{town.box.address}/{path}")
    assert status == 404
