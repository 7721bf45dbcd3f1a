"""The settings of a box: what is accepted, what is refused, and what the roles are given."""

import copy
import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from firstboot.settings import (
    LIMITS,
    PRESETS,
    SECRETS,
    VERSION,
    Meetings,
    Preset,
    Settings,
    ansible_variables,
    join,
    migrate,
    split,
)
from firstboot.settings import schema as published
from firstboot.stack import Stack

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).resolve().parents[3]
LIVEKIT = PROJECT / "overlays/livekit/usr/lib/ratssaal/stack/stack.yaml"
HASH = "$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNo"
# In two parts, since no file of the repository holds the first line of a private key.
KEY = "-----BEGIN " + "PRIVATE KEY-----\nMIGHAgEA\n"
CHAIN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
FUZZ = examples(
    suppress_health_check=[HealthCheck.too_slow],
)

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
last_labels = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
host_names = st.builds(
    lambda front, last: ".".join([*front, last]), st.lists(labels, max_size=3), last_labels
)
addresses = st.ip_addresses().map(str)
lines = st.text(max_size=30).filter(str.isprintable)
names = lines.filter(lambda line: bool(line.strip()))
texts = st.text(max_size=80)
urls = st.builds("http://{}/{}".format, host_names, labels)
mails = st.builds("{}@{}".format, labels, host_names) | st.just("")
hashes = st.from_regex(r"\$argon2id\$SECRET[!-~]{20,60}", fullmatch=True)


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """A network section in order."""
    address = draw(st.ip_addresses())
    length = draw(st.integers(1, address.max_prefixlen))
    interface = ipaddress.ip_interface(f"{address}/{length}")
    gateway = st.sampled_from([str(interface.network[0]), str(interface.network[-1]), None])
    return {
        "card": draw(st.from_regex(r"[a-z][a-z0-9_.-]{0,14}", fullmatch=True)),
        "mode": draw(st.sampled_from(["dhcp", "static"])),
        "address": str(interface),
        "gateway": draw(gateway),
        "dns": draw(st.lists(addresses, max_size=3)),
        "vlan": draw(st.none() | st.integers(1, 4094)),
        "proxy": draw(st.none() | urls),
        "proxy_authority": draw(st.sampled_from([None, CHAIN])),
        "time_servers": draw(st.lists(host_names | addresses, max_size=3)),
        "uplink": draw(st.none() | st.integers(1, 10000)),
    }


certificates = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["own", "acme", "files"]),
        "directory": urls,
        "contact": mails,
        "chain": st.just(CHAIN),
        "key": texts.map(lambda text: f"{KEY}SECRET{text}"),
    },
    optional={
        "authority": st.sampled_from([None, CHAIN]),
        "dns": st.none()
        | st.fixed_dictionaries(
            {
                "server": addresses,
                "key_name": host_names,
                "secret": st.from_regex(r"SECRET[A-Za-z0-9+/=]{12,40}", fullmatch=True),
            },
            optional={"port": st.integers(1, 65535)},
        ),
    },
)
people = st.lists(
    st.fixed_dictionaries(
        {"name": names, "password": hashes},
        optional={
            "mail": mails,
            "totp": st.none() | st.from_regex(r"SECRET[A-Z2-7]{12,40}", fullmatch=True),
        },
    ),
    max_size=3,
    unique_by=lambda one: str(one["name"]).strip().casefold(),
)
claims = st.from_regex(r"[A-Za-z0-9_.:/-]{1,20}", fullmatch=True)
directories = st.fixed_dictionaries(
    {
        "issuer": st.builds("https://{}/{}".format, host_names, labels),
        "client_id": labels,
        "client_secret": st.from_regex(r"SECRET[!-~]{1,20}", fullmatch=True),
    },
    optional={"authority": st.sampled_from([None, CHAIN]), "button": lines},
) | st.builds(
    lambda issuer, claim, value: {
        "issuer": f"https://{issuer}", "client_id": "box", "client_secret": "SECRET",
        "claim": claim, "value": value,
    },
    host_names, claims, names,
)  # fmt: skip
install_disks = st.fixed_dictionaries(
    {"serial": names},
    optional={"model": lines, "size": st.integers(0, 1_000_000), "only": st.booleans()},
) | st.just({"only": True})
switches, levels = st.booleans(), st.sampled_from(["everyone", "asked", "moderators"])
meetings = st.fixed_dictionaries(
    {},
    optional={
        "preset": st.sampled_from(sorted(PRESETS)),
        "create": st.none() | st.sampled_from(["staff", "anyone"]),
        **dict.fromkeys(("speak", "camera", "share"), st.none() | levels),
        **dict.fromkeys(("lobby", "guests", "chat", "live_text"), st.none() | switches),
        **dict.fromkeys(("muted_at_entry", "camera_off_at_entry", "pseudonyms"), switches),
        **{one: st.none() | st.integers(*LIMITS[one]) for one in LIMITS},
        "encryption": st.none() | st.sampled_from(["off", "offered", "required"]),
    },
)
raw_settings = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just(VERSION),
        "box": st.fixed_dictionaries(
            {"host_name": host_names.filter(lambda name: not name.startswith("turn."))},
            optional={
                "language": st.sampled_from(["de", "en"]),
                "install": st.none() | st.fixed_dictionaries({"disk": install_disks}),
                "network": networks(),
                "reach": st.sampled_from(["house", "public", "datacentre"]),
                "turn_name": st.just("") | host_names.map("turn.{}".format),
                "certificate": certificates,
            },
        ),
        "cluster": st.fixed_dictionaries(
            {},
            optional={
                "house": st.fixed_dictionaries({"name": names}),
                "administration": st.fixed_dictionaries(
                    {"people": people},
                    optional={"alone_because": lines, "openid": st.none() | directories},
                ),
                "meetings": meetings,
                "texts": st.fixed_dictionaries({"imprint": texts, "privacy": texts}),
            },
        ),
    },
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = sorted({key for model in published()["$defs"].values() for key in model["properties"]})
keys = st.sampled_from(KEYS) | st.text(max_size=5)
any_json = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
)


def ways(content: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in `content`."""
    pairs = content.items() if isinstance(content, dict) else ()
    for key, value in enumerate(content) if isinstance(content, list) else pairs:
        yield (*way, key)
        yield from ways(value, (*way, key))


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """Settings in order, but for one value somewhere, which may be anything."""
    content: Any = draw(raw_settings)
    found = list(ways(content))
    if not found:
        return draw(any_json)
    *way, last = draw(st.sampled_from(found))
    inside = content
    for one in way:
        inside = inside[one]
    inside[last] = draw(any_json)
    return content


def test_the_defaults_are_settings_that_the_model_itself_accepts() -> None:
    defaults = Settings()
    assert Settings.model_validate(defaults.model_dump()) == defaults
    assert defaults.box.host_name == "ratssaal.local"
    assert defaults.box.turn_name == "turn.ratssaal.local"
    assert defaults.cluster.administration.people == ()


def test_a_box_needs_a_host_name_but_makes_the_name_of_its_relay() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"box": {"host_name": ""}})
    for given_name in ({}, {"turn_name": ""}):
        raw = {"box": {"host_name": "Rathaus.example", **given_name}}
        assert Settings.model_validate(raw).box.turn_name == "turn.rathaus.example"


def test_web_and_relay_need_different_names_since_the_name_tells_them_apart() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"box": {"host_name": "a.example", "turn_name": "A.example"}})
    with pytest.raises(ValidationError):
        Settings.model_validate({"box": {"turn_name": "ratssaal.local"}})


@pytest.mark.parametrize("key", ["hostname", "Host_Name", "password", ""])
@pytest.mark.parametrize("section", ["", "box", "cluster", "box.network", "cluster.house"])
def test_unknown_keys_are_refused_in_every_section(section: str, key: str) -> None:
    raw: dict[str, Any] = {key: "rathaus.example"}
    for word in reversed(section.split(".") if section else []):
        raw = {word: raw}
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(raw)
    assert caught.value.errors()[0]["type"] == "extra_forbidden"


def test_settings_in_force_cannot_be_changed_in_place() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.box.host_name = "rathaus.example"
    with pytest.raises(ValidationError):
        settings.box.network.card = "enp1s0"
    assert settings == Settings()


@pytest.mark.parametrize(
    "network",
    [
        {"mode": "static", "card": "enp1s0"},
        {"mode": "static", "address": "192.0.2.10/24"},
        {"mode": "static", "address": "192.0.2.10", "card": "enp1s0"},
        {"address": "192.0.2.10/24", "gateway": "198.51.100.1"},
        {"address": "192.0.2.10/24", "gateway": "2001:db8::1"},
        {"address": "192.0.2.10/24", "gateway": "fe80::1"},
        {"card": ".."},
        {"card": "-oProxyCommand"},
        {"card": "sixteen-letters."},
        {"card": "enp1s0", "vlan": 4095},
        {"vlan": 12},
    ],
)
def test_a_network_that_cannot_be_is_refused(network: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"box": {"network": network}})


@pytest.mark.parametrize(
    ("address", "gateway"),
    [
        ("192.0.2.10/24", "192.0.2.1"),
        ("192.0.2.10/255.255.255.0", "192.0.2.1"),
        ("2001:db8::10/64", "2001:db8::1"),
        ("2001:db8::10/64", "fe80::1"),
    ],
)
def test_a_fixed_address_has_its_gateway_in_its_network_or_on_its_link(
    address: str, gateway: str
) -> None:
    network = {"mode": "static", "card": "enp1s0", "address": address, "gateway": gateway}
    found = Settings.model_validate({"box": {"network": network}}).box.network
    assert found.address == str(ipaddress.ip_interface(address))
    assert found.gateway == gateway


@pytest.mark.parametrize(
    "certificate",
    [
        {"kind": "acme"},
        {"kind": "files", "chain": CHAIN},
        {"kind": "files", "key": KEY},
        {"kind": "files", "chain": KEY, "key": KEY},
        {"kind": "files", "chain": CHAIN + KEY, "key": KEY},
        {"authority": KEY},
    ],
)
def test_a_certificate_that_is_not_whole_or_shows_its_key_is_refused(
    certificate: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"box": {"certificate": certificate}})


def test_two_administrators_are_told_apart_by_their_names() -> None:
    both = [{"name": "Anna", "password": HASH}, {"name": " ANNA ", "password": HASH}]
    with pytest.raises(ValidationError):
        Settings.model_validate({"cluster": {"administration": {"people": both}}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example"},
        {"issuer": "https://id.example?tenant=a"},
        {"issuer": "https://id.example/#a"},
        {"issuer": ""},
        {"client_id": ""},
        {"client_id": "a b"},
        {"client_secret": None},
        {"client_secret": ""},
        {"claim": "groups"},
        {"value": "sitzungsdienst"},
        {"claim": "groups", "value": " "},
        {"claim": "gro ups", "value": "a"},
        {"authority": KEY},
        {"password": "a"},
    ],
)
def test_a_directory_that_is_not_whole_is_refused(wrong: dict[str, Any]) -> None:
    good = {"issuer": "https://id.example/a", "client_id": "box", "client_secret": "a"}
    for openid, taken in ((good, True), ({**good, **wrong}, False)):
        raw = {"cluster": {"administration": {"openid": openid}}}
        if taken:
            assert Settings.model_validate(raw).cluster.administration.openid
        else:
            with pytest.raises(ValidationError):
                Settings.model_validate(raw)


def test_a_house_may_set_every_rule_that_a_preset_says_and_none_by_itself() -> None:
    assert set(Preset.model_fields) | {"preset"} == set(Meetings.model_fields)
    assert set(PRESETS) == set(get_args(Meetings.model_fields["preset"].annotation))
    assert Meetings().own() == {}
    assert Meetings(preset="open", chat=False, share=None).own() == {"chat": False}


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "anarchy"},
        {"preset": None},
        {"create": "nobody"},
        {"lobby": "perhaps"},
        {"guests": 2},
        {"speak": "nobody"},
        {"camera": True},
        {"share": ""},
        {"chat": []},
        {"max_minutes": 4},
        {"max_minutes": 1441},
        {"max_minutes": 12.5},
        {"max_people": 1},
        {"max_people": 301},
        {"encryption": "on"},
        {"notice": "Mitschnitte sind nicht erlaubt."},
    ],
)
def test_a_rule_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"cluster": {"meetings": wrong}})
    assert caught.value.errors()[0]["loc"] == ("cluster", "meetings", name)


def test_an_error_never_shows_what_was_typed_since_it_may_be_a_secret() -> None:
    typed = "a password in plain text"
    people_in_plain = {"people": [{"name": "Anna", "password": typed}]}
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"cluster": {"administration": people_in_plain}})
    assert "password" in str(caught.value)
    assert typed not in str(caught.value)


@FUZZ
@given(any_json | damaged())
def test_whatever_is_given_is_accepted_or_refused_with_a_validation_error(raw: Any) -> None:
    try:
        settings = Settings.model_validate(raw)
    except ValidationError:
        return
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings


@FUZZ
@given(raw_settings)
def test_settings_are_the_same_after_they_were_written_and_read(raw: dict[str, Any]) -> None:
    settings = Settings.model_validate(raw)
    written = settings.model_dump(mode="json")
    assert Settings.model_validate(json.loads(json.dumps(written))) == settings
    assert Settings.model_validate(migrate(written)) == settings
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


@FUZZ
@given(raw_settings, st.sampled_from(["json", "python"]))
def test_secrets_are_taken_out_and_put_back(raw: dict[str, Any], mode: str) -> None:
    content = Settings.model_validate(raw).model_dump(mode=mode)
    before = copy.deepcopy(content)
    public, secrets = split(content)
    assert content == before
    assert join(public, secrets) == content
    assert all("SECRET" in value for value in secrets.values())
    assert "SECRET" in json.dumps(content) or not secrets
    assert "SECRET" not in json.dumps(public)


def every_secret() -> Settings:
    dns = {"server": "192.0.2.53", "key_name": "key.example", "secret": "SECRETc2VjcmV0IG9mIGEg"}
    certificate = {"kind": "files", "chain": CHAIN, "key": f"{KEY}SECRET", "dns": dns}
    anna = {"name": "Anna", "password": f"{HASH}SECRET", "totp": "SECRET" * 3}
    bernd = {"name": "Bernd", "password": f"{HASH}SECRET"}
    openid = {"issuer": "https://id.example", "client_id": "box", "client_secret": "SECRET"}
    return Settings.model_validate(
        {
            "box": {"host_name": "rathaus.example", "certificate": certificate},
            "cluster": {"administration": {"people": [anna, bernd], "openid": openid}},
        }
    )


def test_every_secret_is_found_and_named_by_its_path() -> None:
    public, secrets = split(every_secret().model_dump(mode="json"))
    assert sorted(secrets) == [
        "box.certificate.dns.secret",
        "box.certificate.key",
        "cluster.administration.openid.client_secret",
        "cluster.administration.people.0.password",
        "cluster.administration.people.0.totp",
        "cluster.administration.people.1.password",
    ]
    assert "SECRET" not in json.dumps(public)
    assert public["cluster"]["administration"]["people"][1]["name"] == "Bernd"


def write_only(schema: dict[str, Any], part: Any, way: tuple[str, ...] = ()) -> Iterator[Any]:
    """The ways to all fields that the schema marks as secret."""
    if reference := part.get("$ref"):
        part = schema["$defs"][reference.rpartition("/")[2]]
    if part.get("writeOnly"):
        yield way
    for inner in part.get("anyOf", ()):
        yield from write_only(schema, inner, way)
    if "items" in part:
        yield from write_only(schema, part["items"], (*way, "*"))
    for key, inner in part.get("properties", {}).items():
        yield from write_only(schema, inner, (*way, key))


def test_the_fields_that_the_schema_marks_as_secret_are_those_that_are_taken_out() -> None:
    assert sorted(write_only(published(), published())) == sorted(SECRETS)


def test_the_published_schema_is_that_of_the_model() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "firstboot.settings", "schema"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = (PROJECT / "firstboot/answers.schema.json").read_text()
    assert found == ended.stdout, "python3 -m firstboot.settings schema > answers.schema.json"


def test_stored_settings_of_this_version_stay_as_they_are() -> None:
    content = every_secret().model_dump(mode="json")
    assert migrate(content) == content
    del content["version"]
    assert migrate(content)["version"] == VERSION


@pytest.mark.parametrize("version", [0, -1, VERSION + 1, "1", 1.0, True, None, []])
def test_settings_of_a_version_that_nobody_knows_are_not_guessed_at(version: object) -> None:
    with pytest.raises(ValueError, match="version"):
        migrate({"version": version})


def test_the_roles_are_given_settings_without_secrets_and_the_stacks_doors() -> None:
    variables = ansible_variables(every_secret(), Stack.read(LIVEKIT))
    text = json.dumps(variables)
    found = json.loads(text)
    assert set(found) == {"settings", "stack"}
    assert found["settings"]["box"]["host_name"] == "rathaus.example"
    assert found["settings"]["box"]["turn_name"] == "turn.rathaus.example"
    # Where the way out leads, and by whose word, is no matter of the roles.
    assert not {"proxy", "proxy_authority"} & set(found["settings"]["box"]["network"])
    media = {"port": 443, "protocol": "udp", "purpose": "media", "also": 7882}
    assert found["stack"]["doors"] == [media]
    assert "SECRET" not in text


def test_without_a_stack_the_program_prints_no_variables() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "firstboot.settings"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "stack.json" in ended.stderr
