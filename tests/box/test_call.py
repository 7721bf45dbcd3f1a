"""The main job on real input: people meet and see each other move."""

import pytest

from builder import call
from builder.artifacts import Artifacts
from builder.errors import CommandError
from builder.machines.container import Box
from builder.machines.stage import Stage
from tests.box.conftest import Town

pytestmark = pytest.mark.box


def test_two_guests_see_each_other_move(town: Town) -> None:
    held = call.hold(town.box, town.stage)
    assert held.held(), held


def test_nothing_of_a_call_is_logged(town: Town) -> None:
    call.hold(town.box, town.stage)
    journal = town.box.run("journalctl", "--boot", "--no-pager").stdout
    secret = town.box.run("cat", "/var/lib/ratssaal/secrets/stack/keys.yaml").stdout.split('"')[3]
    assert len(secret) == 64
    assert secret not in journal
    assert "access_token" not in journal
    for guest in call.GUESTS:
        assert guest not in journal


def test_a_token_of_another_key_opens_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real = call.token

    tokens = []

    def forged(keys: str, room: str, shown: str) -> str:
        tokens.append(real(f"{keys.split(':')[0]}: '{'0' * 64}'", room, shown))
        return tokens[-1]

    monkeypatch.setattr(call, "token", forged)
    with pytest.raises(CommandError, match="could not join"):
        call.hold(town.box, town.stage, seconds=20)
    journal = town.box.run("journalctl", "--boot", "--no-pager").stdout
    assert tokens
    assert not any(one in journal for one in tokens)


def test_media_and_web_server_that_are_killed_are_back_for_the_next_call(
    stage: Stage, artifacts: Artifacts
) -> None:
    with Box(stage, artifacts) as box:
        for unit, listens in (("livekit", "ss -uln"), ("nginx", "ss -tln")):
            box.shell(
                f"systemctl kill --signal=KILL {unit}.service;"
                f" timeout 20 sh -c 'until systemctl show -P NRestarts {unit} | grep -qx 1"
                f" && {listens} | grep -q :443; do sleep 0.1; done'"
            )
        assert call.hold(box, stage).held()
        assert box.shell("systemctl --failed --no-legend --plain") == ""
