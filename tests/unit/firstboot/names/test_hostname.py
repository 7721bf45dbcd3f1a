"""The box's public name, as clerks type it."""

import pytest
from pydantic import TypeAdapter

from firstboot import texts
from firstboot.fields import HostName
from firstboot.names import hostname
from firstboot.names.hostname import check_name
from firstboot.texts import SaidError

pytestmark = pytest.mark.unit

NAME = "konferenz.rathaus.example"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (NAME, NAME),
        (f"  {NAME}\n", NAME),
        ("Konferenz.Rathaus.EXAMPLE", NAME),
        (f"https://{NAME}/", NAME),
        (f"HTTP://{NAME}:8443/raum?x=1#y", NAME),
        (f"{NAME}:443", NAME),
        (f"{NAME}.", NAME),
        ("konferenz. rathaus .example", NAME),
        ("konferenz\u00ad.rathaus\u200b.example", NAME),
        ("konferenz．rathaus。example", NAME),
        (f"„{NAME}“", NAME),
        ("konferenz.münchen.example", "konferenz.xn--mnchen-3ya.example"),
        ("Konferenz.MU\u0308NCHEN.example", "konferenz.xn--mnchen-3ya.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("großstadt.example", "xn--grostadt-sya.example"),
        ("ratssaal.local", "ratssaal.local"),
        ("rathaus.test", "rathaus.test"),
        ("rathaus.home.arpa", "rathaus.home.arpa"),
        ("3com.example", "3com.example"),
    ],
)
@pytest.mark.parametrize("library", ["idna", "without idna"])
def test_what_a_clerk_typed_becomes_a_host_name_that_the_settings_take(
    raw: str, name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "without idna":
        monkeypatch.setattr(hostname, "idna", None)
    assert check_name(raw) == name
    for one in (name, f"turn.{name}"):
        assert TypeAdapter[str](HostName).validate_python(one) == one


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("", "empty"),
        (" \t", "empty"),
        ("https://", "empty"),
        (".", "empty"),
        ("rathaus", "single"),
        ("https://rathaus/", "single"),
        ("192.0.2.1", "address"),
        ("https://192.0.2.1:8443/", "address"),
        ("2001:db8::1", "address"),
        ("https://[2001:db8::1]:443/", "address"),
        ("192.0.2", "address"),
        ("info@rathaus.example", "email"),
        ("rathaus..example", "dots"),
        (".rathaus.example", "dots"),
        ("mein_rathaus.example", "underscore"),
        ("mein rathaus.example", "characters"),
        ("-rathaus.example", "characters"),
        ("rathaus-.example", "characters"),
        ("*.rathaus.example", "characters"),
        ("rathaus,example.example", "characters"),
        ("☎.example", "characters"),
        ("rathaus.4you", "ending"),
        (f"{'a' * 64}.example", "label_long"),
        (f"{'ü' * 64}.example", "label_long"),
        (".".join(["a" * 60] * 5), "long"),
        ("localhost", "reserved"),
        ("box.localhost", "reserved"),
        ("rathaus.invalid", "reserved"),
        ("rathaus.onion", "reserved"),
        ("10.in-addr.arpa", "reserved"),
        ("rathaus.local", "multicast"),
        ("turn.ratssaal.local", "multicast"),
        ("local", "multicast"),
    ],
)
@pytest.mark.parametrize("library", ["idna", "without idna"])
def test_what_cannot_be_the_name_of_a_box_is_refused_with_the_reason(
    raw: str, key: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "without idna":
        monkeypatch.setattr(hostname, "idna", None)
    with pytest.raises(SaidError) as caught:
        check_name(raw)
    assert caught.value.said.key == f"domain.{key}"
    for language in texts.LANGUAGES:
        assert caught.value.said.text(language)


def test_the_longest_name_leaves_room_for_the_relays_name() -> None:
    longest = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 57, "example"])
    assert len(f"turn.{longest}") == 253
    assert check_name(longest) == longest
    with pytest.raises(SaidError) as caught:
        check_name(longest.replace("example", "examples"))
    assert caught.value.said.values == {"length": 249, "most": 248}
