"""What the web server lets through to the rooms service, as the role's template says it."""

import re
from typing import Any

import jinja2
import pytest

from builder.paths import PROJECT
from firstboot.settings import Settings, ansible_variables
from firstboot.stack import Stack

pytestmark = pytest.mark.unit

STACK = PROJECT / "overlays/livekit/usr/lib/ratssaal/stack"
FOLDERS = (
    STACK / "roles/stack/templates",
    PROJECT / "firstboot/ansible/roles/web/templates",
)
SIGN_IN = "= /api/staff/sign-in"


def drawn(name: str, *networks: str, one_name: bool = False) -> str:
    """A template, with administration from `networks` alone where any is named.

    one_name: the certificate for the public name is not for the relay's.
    """
    # As Ansible does: block lines leave nothing behind, undefined names are errors.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDERS),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,
    )
    settings = Settings.model_validate({"cluster": {"administration": {"networks": networks}}})
    given: dict[str, Any] = {
        **ansible_variables(settings, Stack.read(STACK / "stack.yaml")),
        "ansible_managed": "x", "named": one_name, "named_turn": False, "one_name": one_name,
        "complete": True,
    }  # fmt: skip
    return environment.get_template(name).render(given)


def places(text: str) -> dict[str, str]:
    """What is in each location."""
    return dict(re.findall(r"^location (\S.*?) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))


def test_staff_sign_in_from_the_networks_of_administration_alone() -> None:
    text = drawn("http.conf.j2", "192.0.2.0/24")
    found = places(text)
    assert re.search(r"if \(\$from_administration = 0\) \{\s+return 403;", found[SIGN_IN])
    # The page gets a word that it has a sentence for.
    assert "error_page 403 = @elsewhere;" in found[SIGN_IN]
    assert """return 403 '{"error": "elsewhere"}';""" in found["@elsewhere"]
    # Guests, codes and links are let in from everywhere.
    assert [one for one in found if "$from_administration" in found[one]] == [SIGN_IN]


def test_whether_somebody_administers_from_here_is_asked_as_for_the_administrators_page() -> None:
    asked = "if ($from_administration = 0)"
    signs_in = places(drawn("site.conf.j2", "192.0.2.0/24"))["= /admin/sign-in"]
    assert "set $administers $from_administration;" in signs_in
    assert "$administers 1" not in signs_in
    assert asked in drawn("http.conf.j2", "192.0.2.0/24")
    known = drawn("nginx.conf.j2", "192.0.2.0/24", "2001:db8::/64")
    (block,) = re.findall(r"geo \$from_administration \{(.*?)\}", known, re.DOTALL)
    assert re.findall(r"(\S+) ([01]);", block) == [
        ("default", "0"), ("192.0.2.0/24", "1"), ("2001:db8::/64", "1"),
    ]  # fmt: skip


def test_without_networks_staff_sign_in_from_everywhere() -> None:
    # Without a network the variable is unknown to nginx, and naming it would be refused.
    for name in ("http.conf.j2", "site.conf.j2", "nginx.conf.j2"):
        assert "$from_administration" not in drawn(name)


def test_rooms_are_made_slowly_and_looked_at_freely() -> None:
    assert "limit_req zone=codes burst=40 nodelay;" in places(drawn("http.conf.j2"))["= /api/code"]
    assert "limit_req zone=rooms burst=30 nodelay;" in places(drawn("http.conf.j2"))["= /api/rooms"]
    text = drawn("nginx.conf.j2")
    assert "limit_req_zone $maker zone=rooms:1m rate=30r/m;" in text
    (block,) = re.findall(r"map \$request_method \$maker \{(.*?)\}", text, re.DOTALL)
    # nginx counts nothing under an empty key.
    assert block.split() == ["default", '"";', "POST", "$subscriber;"]


def test_pages_are_opened_as_fast_as_people_do_and_a_try_is_no_page() -> None:
    found = places(drawn("site.conf.j2"))
    assert "limit_req zone=pages burst=300 nodelay;" in found["~ ^/(setup|admin)/"]
    assert [one for one in found if "zone=pages" in found[one]] == ["~ ^/(setup|admin)/"]


def test_each_limit_is_one_that_the_web_server_has() -> None:
    asked = set(re.findall(r"limit_req zone=(\w+)", drawn("http.conf.j2") + drawn("site.conf.j2")))
    known = set(re.findall(r"limit_req_zone \S+ zone=(\w+):", drawn("nginx.conf.j2")))
    assert asked == known


def door(text: str, protocols: str) -> str:
    """Where a hello with these protocols of ALPN leads, as nginx reads the map in `text`."""
    map_ = r"map \$ssl_preread_alpn_protocols \$web_or_turn \{(.*?)\}"
    (block,) = re.findall(map_, text, re.DOTALL)
    rules = dict(re.findall(r"(\S+) unix:/run/nginx/(\w+)\.sock;", block))
    if found := rules.get(f'"{protocols}"'):
        return str(found)
    for rule, where in rules.items():
        if rule.startswith('"~') and re.search(rule[2:-1], protocols):
            return str(where)
    return str(rules["default"])


def test_two_names_are_told_apart_by_name_alone() -> None:
    assert drawn("door.map.j2").splitlines()[1:] == [
        "turn.ratssaal.local unix:/run/nginx/turn.sock;"
    ]
    assert "alpn" not in drawn("stream.conf.j2")
    assert "/var/lib/ratssaal/tls/fullchain.pem" in drawn("stream.conf.j2")
    assert "  domain: turn.ratssaal.local\n" in drawn("livekit.yaml.j2")


def test_on_one_name_the_web_says_what_it_speaks_and_the_rest_is_turn() -> None:
    assert drawn("door.map.j2", one_name=True).splitlines()[1:] == ["ratssaal.local $web_or_turn;"]
    text = drawn("stream.conf.j2", one_name=True)
    for web in ("h2,http/1.1", "http/1.1", "h2", "http/1.0", "webrtcx"):
        assert door(text, web) == "web", web
    for turn in ("", "stun.turn", "webrtc", "stun.turn,webrtc", "c-webrtc"):
        assert door(text, turn) == "turn", turn
    # Browsers take that certificate for this name, and are told it.
    assert "/var/lib/ratssaal/tls/named/fullchain.pem" in text
    assert "/var/lib/ratssaal/tls/named/privkey.pem" in text
    assert "  domain: ratssaal.local\n" in drawn("livekit.yaml.j2", one_name=True)
