"""The conferencing stacks that this checkout knows, and their lock files."""

import re
from pathlib import Path

import pytest

from builder import stack
from builder.bench import crowd
from builder.errors import CommandError, UsageError
from builder.paths import IMAGES, PROJECT

pytestmark = pytest.mark.unit


def test_an_unknown_stack_is_wrong_usage_and_the_known_ones_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        stack.choose("zoom")
    assert caught.value.exit_code == 2
    assert "'zoom'" in caught.value.message
    for name in stack.stacks():
        assert name in caught.value.hint


@pytest.mark.parametrize("name", ["", "LiveKit", "../livekit", "livekit/", "."])
def test_only_the_exact_name_of_a_stack_will_do(name: str) -> None:
    with pytest.raises(UsageError):
        stack.choose(name)


def test_every_profile_of_the_image_is_a_stack_and_the_default_is_one_of_them() -> None:
    profiles = {path.name for path in (IMAGES / "mkosi.profiles").iterdir() if path.is_dir()}
    assert set(stack.stacks()) == profiles
    assert stack.choose(stack.DEFAULT).name == stack.DEFAULT


def test_the_lock_of_livekit_names_its_program_and_version() -> None:
    lock = stack.choose("livekit").lock
    package, module, version = stack.choose("livekit").tool()
    assert module == "github.com/livekit/livekit-server"
    assert package == f"{module}/cmd/server"
    assert re.fullmatch(r"v\d+\.\d+\.\d+", version)
    assert f"{module} {version}" in (lock / "go.mod").read_text()
    assert f"{module} {version} h1:" in (lock / "go.sum").read_text()


LOCKS = {
    "one line": "module m\n\ntool town.example/sfu/cmd/sfu\n\nrequire town.example/sfu v1.2.3\n",
    "block": (
        "module m\n\ntool town.example/sfu/cmd/sfu\n\nrequire (\n\ttown.example/sfu v1.2.3\n)\n"
    ),
    "indirect": (
        "module m\n\ntool town.example/sfu/cmd/sfu\n\nrequire (\n"
        "\ttown.example/sfu v1.2.3 // indirect\n"
        "\ttown.example/sfu-protocol v8.0.0 // indirect\n)\n"
        "\nrequire (\n\ttown.example/sf v9.0.0 // indirect\n)\n"
    ),
    "tool last": "module m\n\nrequire town.example/sfu v1.2.3\n\ntool town.example/sfu/cmd/sfu\n",
}


@pytest.mark.parametrize("text", LOCKS.values(), ids=LOCKS.keys())
def test_the_tool_is_found_in_every_form_of_a_lock(tmp_path: Path, text: str) -> None:
    (tmp_path / "go.mod").write_text(text)
    found = stack.Stack("sfu", tmp_path).tool()
    assert found == ("town.example/sfu/cmd/sfu", "town.example/sfu", "v1.2.3")


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (stack.choose("livekit"), "images/stacks/livekit/go.sum"),
        (stack.Stack("load", crowd.LOCK), "tests/load/go.sum"),
        (stack.Stack("pebble", PROJECT / "tests/box/pebble"), "tests/box/pebble/go.sum"),
        (stack.Stack("sfu", Path("/elsewhere/sfu")), "/elsewhere/sfu/go.sum"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_wrong_checksum_names_the_file_that_it_differs_from(one: stack.Stack, named: str) -> None:
    failed = CommandError("verifying town.example/sfu@v1.2.3: checksum mismatch")
    explained = stack._explained(failed, one, offline=False)
    assert f"If {named} was edited" in explained.hint
