"""The fields of the settings: names as RFC 1123 has them, and nothing hostile for any service."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from firstboot.settings import Settings

pytestmark = pytest.mark.unit

LABEL = "a" * 63
FUZZ = examples(
    suppress_health_check=[HealthCheck.too_slow],
)

# Fields that end in configuration files, environments, units and command lines, and a good value.
SERVED = {
    "host_name": "rathaus.example",
    "turn_name": "turn.rathaus.example",
    "network.card": "enp1s0",
    "network.address": "192.0.2.10/24",
    "network.gateway": "2001:db8::1",
    "network.dns.0": "192.0.2.53",
    "network.time_servers.0": "ntp.rathaus.example",
    "network.proxy": "http://[2001:db8::1]:3128/",
    "certificate.directory": "https://ca.example/acme/directory",
    "certificate.contact": "edv@rathaus.example",
    "certificate.dns.server": "2001:db8::53",
    "certificate.dns.key_name": "key.rathaus.example",
}
HARMLESS = re.compile(r"[A-Za-z0-9._:/\[\]?=+~@,-]*")
HOSTILE = (
    *("\n", "\r", "\0", "\t", " ", "\u2028", "\u00a0", '"', "'", "`", "\\", ";", "#", "|", "&"),
    *("<", ">", "*", "!", "$host", "%n", "{{ settings }}", "{{settings}}", "{% raw %}", "{#"),
    *("$(reboot)", "${HOME}", "@include\n", "%{{x}}", "]\n[Service]", "ü", "\u212a"),
)


def box_with(name: str, value: object) -> dict[str, Any]:
    """Settings in which all is well but for the field `name` of the box, perhaps."""
    box: dict[str, Any] = {"network": {}, "certificate": {}}
    if name.startswith("certificate.dns."):
        box["certificate"]["dns"] = {
            "server": "192.0.2.53",
            "key_name": "key.example",
            "secret": "c2VjcmV0IG9mIGEga2V5",
        }
    *way, last = name.split(".")
    inside: Any = box
    for word in way:
        inside = inside.setdefault(word, {})
    inside[last] = value
    if last == "0":
        box[way[0]][way[1]] = [value]
    return {"box": box}


def at(content: Any, name: str) -> Any:
    """The value at a path such as `network.dns.0`."""
    for word in name.split("."):
        content = content[int(word)] if isinstance(content, list) else content[word]
    return content


def host_name(name: str) -> str:
    return Settings.model_validate({"box": {"host_name": name}}).box.host_name


@pytest.mark.parametrize(
    "name",
    [
        "ratssaal",
        "konferenz.rathaus.example",
        "3com.example",
        "a-b.example",
        "xn--kln-sna.example",
        f"{LABEL}.example",
        f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}",
    ],
)
@pytest.mark.parametrize(("key", "other"), [("host_name", "turn_name"), ("turn_name", "host_name")])
def test_host_names_of_rfc_1123_are_accepted(key: str, other: str, name: str) -> None:
    box = Settings.model_validate({"box": {key: name, other: "other.example"}}).box
    assert getattr(box, key) == name


@pytest.mark.parametrize("name", ["Ratssaal.Local", "RATHAUS.EXAMPLE"])
def test_host_names_in_capitals_are_the_same_in_small_letters(name: str) -> None:
    assert host_name(name) == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "-rathaus.example",
        "rathaus-.example",
        "rathaus..example",
        ".rathaus.example",
        "rathaus.example.",
        "rat haus.example",
        "rathaus.example\n",
        "rathaus_1.example",
        "köln.example",
        "*.rathaus.example",
        "https://rathaus.example",
        "rathaus.example:443",
        "rathaus.example/path",
        "rathaus.example;return 200",
        "$host",
        "{{ settings }}",
        "2001:db8::1",
        "192.0.2.10",
        f"{'a' * 64}.example",
        f"{LABEL}.{LABEL}.{LABEL}.{'a' * 62}",
        None,
        443,
        ["rathaus.example"],
    ],
)
@pytest.mark.parametrize("key", ["host_name", "turn_name"])
def test_what_is_no_host_name_never_reaches_a_service(key: str, name: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"box": {key: name}})
    assert caught.value.errors()[0]["loc"] == ("box", key)


@pytest.mark.parametrize("name", SERVED)
def test_a_field_that_services_are_given_takes_its_good_value(name: str) -> None:
    found = Settings.model_validate(box_with(name, SERVED[name])).model_dump(mode="json")
    assert at(found["box"], name) == SERVED[name]


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_hostile_gets_through_fields_that_services_are_given(
    name: str, hostile: str
) -> None:
    good = SERVED[name]
    for place in range(len(good) + 1):
        with pytest.raises(ValidationError):
            Settings.model_validate(box_with(name, good[:place] + hostile + good[place:]))
    # Python's ipaddress takes anything for the scope of an address (RFC 4007).
    with pytest.raises(ValidationError):
        Settings.model_validate(box_with(name, f"fe80::1%{hostile}"))


@pytest.mark.parametrize("name", SERVED)
def test_what_gets_through_to_services_has_harmless_characters_alone(name: str) -> None:
    parts = st.sampled_from([*HOSTILE, *"a1.:/-%@[]", "fe80::1", "https://", SERVED[name]])
    values = st.text(max_size=20) | st.lists(parts, max_size=5).map("".join)

    @FUZZ
    @given(values)
    def try_one(value: str) -> None:
        try:
            found = Settings.model_validate(box_with(name, value)).model_dump(mode="json")
        except ValidationError:
            return
        assert HARMLESS.fullmatch(at(found["box"], name))

    try_one()
