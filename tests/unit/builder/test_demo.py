"""The demonstration's exit code for scripts, on a machine and a call that are made up."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from builder import call, cli, demo, image
from builder.call import FRAMES, Call
from builder.machines.machine import Machine

pytestmark = pytest.mark.unit


class OnPaper(Machine):
    """A machine that was never started; it has a picture of its screen."""

    address = "198.51.100.100"

    def __init__(self) -> None:
        self.accelerator = "tcg"

    def screenshot(self, target: Path) -> Path:
        return target


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has ended, in its order; the demonstration finds a machine, but no call."""
    order: list[str] = []

    @contextlib.contextmanager
    def stage(_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace()
        order.append("stage")

    def machine(_: object, __: object, ___: object, running: contextlib.ExitStack) -> Machine:
        running.callback(order.append, "machine")
        return OnPaper()

    built = SimpleNamespace(toolbox=None, artifacts=None)
    monkeypatch.setattr(image, "build", lambda _: built)
    monkeypatch.setattr(demo, "Stage", stage)
    monkeypatch.setattr(demo, "_machine", machine)
    monkeypatch.setattr(demo, "reach", lambda _: True)
    monkeypatch.setattr(demo, "invite", lambda _: {"moderator": "M", "participant": "P"})
    monkeypatch.setattr(sys, "argv", ["ratssaal", "demo", "--exit", "--json"])
    return order


def held(monkeypatch: pytest.MonkeyPatch, **moving: int) -> None:
    """From now on a call in which each guest sees so many moving pictures."""
    counted = Call({}, moving, moving)
    monkeypatch.setattr(call, "hold", lambda _box, _stage: counted)


def test_a_call_that_was_held_ends_well(
    ended: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held(monkeypatch, Anna=FRAMES, Bernd=FRAMES)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert not caught.value.code
    output, said = capsys.readouterr()
    found = json.loads(output)
    assert found["frames"] == {"Anna": FRAMES, "Bernd": FRAMES}
    assert found["picture"].endswith("/screens/console.png")
    assert found["accelerator"] == "tcg"
    assert "Anna received" in said
    assert ended == ["machine", "stage"]


@pytest.mark.parametrize("moving", [{"Anna": FRAMES, "Bernd": FRAMES - 1}, {"Anna": FRAMES}])
def test_a_call_that_was_not_held_ends_with_1(
    ended: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moving: dict[str, int],
) -> None:
    held(monkeypatch, **moving)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    output, said = capsys.readouterr()
    assert output == ""
    assert "The call was not held" in said
    assert ended[0] == "machine"
