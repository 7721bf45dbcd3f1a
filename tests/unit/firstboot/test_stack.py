"""The description of a conferencing stack, as the rest of the box reads it."""

from pathlib import Path

import pytest

from firstboot import health
from firstboot.health import BASE_UNITS, STORE
from firstboot.stack import Door, Relay, Stack

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).resolve().parents[3]
LIVEKIT = PROJECT / "overlays/livekit/usr/lib/ratssaal/stack/stack.yaml"

DOOR = "  - {port: 443, protocol: udp, purpose: media, also: 7882}"
WHOLE = f"""\
name: Example
units:
  - one.service
  - two.service
doors:
{DOOR}
relays:
  - {{ports: 40000-40999, to: 443}}
health:
  - http://127.0.0.1:7880/
store:
  - rooms
secrets: /usr/lib/ratssaal/stack/secrets
answers:
  - box.turn_name
"""


def described(folder: Path, text: str) -> Path:
    (folder / "stack.yaml").write_text(text)
    return folder / "stack.yaml"


def test_the_description_of_the_embedded_stack_is_whole() -> None:
    stack = Stack.read(LIVEKIT)
    overlay = PROJECT / "overlays/livekit"
    assert stack.doors == (Door(443, "udp", "media", also=7882),)
    # The pages name the same two.
    pages = (PROJECT / "meet/client/src/media-port.ts").read_text()
    assert "const DOOR = 443;" in pages
    assert "const SECOND = 7882;" in pages
    assert stack.units
    for unit in stack.units:
        assert (overlay / "usr/lib/systemd/system" / unit).is_file()
    assert stack.secrets
    program = overlay / stack.secrets.relative_to("/")
    assert program.stat().st_mode & 0o111
    assert stack.health
    assert all(url.startswith("http://127.0.0.1:") for url in stack.health)


def test_every_key_of_a_description_is_read(tmp_path: Path) -> None:
    stack = Stack.read(described(tmp_path, WHOLE))
    assert stack.name == "Example"
    assert stack.units == ("one.service", "two.service")
    assert stack.doors == (Door(443, "udp", "media", 7882),)
    assert stack.relays == (Relay("40000-40999", 443),)
    assert stack.health == ("http://127.0.0.1:7880/",)
    assert stack.store == ("rooms",)
    assert stack.secrets == Path("/usr/lib/ratssaal/stack/secrets")
    assert stack.answers == ("box.turn_name",)


def test_a_stack_may_do_without_secrets_doors_relays_and_health(tmp_path: Path) -> None:
    stack = Stack.read(described(tmp_path, "name: Example\nunits: []\ndoors: []\nhealth: []\n"))
    assert (stack.units, stack.doors, stack.relays, stack.health) == ((), (), (), ())
    assert stack.secrets is None


def test_every_unit_and_address_of_base_and_stack_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the units; addresses once those are active, as they could not answer before."""
    stack = Stack.read(described(tmp_path, WHOLE))
    asked: list[str] = []
    states = {"two.service": "is failed"}

    def inactive(units: tuple[str, ...]) -> dict[str, str]:
        asked.extend(units)
        return states

    def answers(url: str) -> str | None:
        asked.append(url)
        return "does not answer: refused" if url == STORE else None

    monkeypatch.setattr(health, "inactive", inactive)
    monkeypatch.setattr(health, "answers", answers)
    assert health.wrong(stack) == {"two.service": "is failed"}
    assert asked == [*BASE_UNITS, "one.service", "two.service"]
    states = {}
    assert health.wrong(stack) == {STORE: "does not answer: refused"}
    assert asked[-2:] == [STORE, "http://127.0.0.1:7880/"]


def test_an_image_without_a_stack_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"stack\.yaml"):
        Stack.read(tmp_path / "stack.yaml")


MALFORMED = {
    "empty": "",
    "no YAML": "name: [Example\n",
    "a list": "- name\n",
    "a text": "Example\n",
    "no name": WHOLE.replace("name: Example\n", ""),
    "no units": WHOLE.replace("units:\n  - one.service\n  - two.service\n", ""),
    "one unit as text": WHOLE.replace("\n  - one.service\n  - two.service", " one.service"),
    "a unit that is a number": WHOLE.replace("one.service", "1"),
    "no doors": WHOLE.replace(f"doors:\n{DOOR}\n", ""),
    "doors without content": WHOLE.replace(f"\n{DOOR}", ""),
    "a second port that is none": WHOLE.replace("also: 7882", "also: 0"),
    "an answer that is no setting": WHOLE.replace("box.turn_name", "turn_name"),
    "one answer as text": WHOLE.replace("\n  - box.turn_name", " box.turn_name"),
    "a door without a port": WHOLE.replace("port: 443, ", ""),
    "a door with another key": WHOLE.replace("purpose:", "colour: red, purpose:"),
    "a door that is no port": WHOLE.replace("port: 443", "port: https"),
    "a port that does not exist": WHOLE.replace("port: 443", "port: 65536"),
    "a protocol that does not exist": WHOLE.replace("udp", "udq"),
    "a relay without ports": WHOLE.replace("ports: 40000-40999, ", ""),
    "a relay with another key": WHOLE.replace("{ports:", "{colour: red, ports:"),
    "no health": WHOLE.replace("health:\n  - http://127.0.0.1:7880/\n", ""),
    "a user of the store as text": WHOLE.replace("\n  - rooms", " rooms"),
    "a user of the store who is none": WHOLE.replace("- rooms", "- 'rooms }; accept'"),
    "health as text": WHOLE.replace("\n  - http", " http"),
    "an unknown key": WHOLE + "colour: red\n",
}


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, id=name) for name, text in MALFORMED.items()],
)
def test_a_malformed_description_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Stack.read(described(tmp_path, text))
