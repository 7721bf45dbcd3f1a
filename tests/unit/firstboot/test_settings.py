"""The settings of a box: what is accepted, what is refused, and what the roles are given."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from firstboot.settings import Settings, ansible_variables
from firstboot.stack import Stack

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).resolve().parents[3]
LIVEKIT = PROJECT / "overlays/livekit/usr/lib/ratssaal/stack/stack.yaml"
LABEL = "a" * 63


def test_the_defaults_are_settings_that_the_model_itself_accepts() -> None:
    defaults = Settings()
    assert Settings.model_validate(defaults.model_dump()) == defaults
    assert defaults.host_name == "ratssaal.local"
    assert defaults.turn_name != defaults.host_name


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
@pytest.mark.parametrize("key", ["host_name", "turn_name"])
def test_host_names_of_rfc_1123_are_accepted(key: str, name: str) -> None:
    assert getattr(Settings.model_validate({key: name}), key) == name


@pytest.mark.parametrize("name", ["Ratssaal.Local", "RATHAUS.EXAMPLE"])
def test_host_names_in_capitals_are_the_same_in_small_letters(name: str) -> None:
    assert Settings(host_name=name).host_name == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        "",
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
        pytest.param("192.0.2.10"),
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
        Settings.model_validate({key: name})
    assert caught.value.errors()[0]["loc"] == (key,)


def test_web_and_relay_need_different_names_since_the_name_tells_them_apart() -> None:
    with pytest.raises(ValidationError):
        Settings(host_name="rathaus.example", turn_name="rathaus.example")


@pytest.mark.parametrize("key", ["hostname", "Host_Name", "password", ""])
def test_unknown_keys_are_refused(key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({key: "rathaus.example"})
    assert caught.value.errors()[0]["type"] == "extra_forbidden"


def test_settings_in_force_cannot_be_changed_in_place() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.host_name = "rathaus.example"
    assert settings.host_name == "ratssaal.local"


def test_the_roles_are_given_settings_and_the_stacks_doors_and_nothing_else() -> None:
    variables = ansible_variables(Settings(host_name="rathaus.example"), Stack.read(LIVEKIT))
    found = json.loads(json.dumps(variables))
    assert set(found) == {"settings", "stack"}
    assert found["settings"] == {
        "host_name": "rathaus.example",
        "turn_name": "turn.ratssaal.local",
    }
    assert found["stack"]["doors"] == [{"port": 443, "protocol": "udp", "purpose": "media"}]


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
    assert "stack.yaml" in ended.stderr
