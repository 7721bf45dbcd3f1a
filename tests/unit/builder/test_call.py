"""A call's tokens let a guest into one room for a while; a call counts when both guests saw."""

import datetime
import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from builder import call
from builder.call import Call, token
from builder.errors import RatssaalError
from builder.paths import PROJECT
from meet.gate import in_test_room
from meet.livekit import Tokens

pytestmark = pytest.mark.unit

SECRET = "0123456789abcdef" * 4
KEYS = f'"a1b2c3d4e5f60718": "{SECRET}"\n'
WRITER = PROJECT / "overlays/livekit/usr/lib/ratssaal/stack/secrets"
JOIN = WRITER.with_name("join")
LIVEKIT = Tokens("a1b2c3d4e5f60718", SECRET)


def claims(signed: str, secret: str = SECRET) -> dict[str, object]:
    """What a token says, its signature and times checked as LiveKit does."""
    found: dict[str, object] = jwt.decode(signed, secret, algorithms=["HS256"])
    return found


def test_a_token_lets_one_guest_into_one_room_alone() -> None:
    found = claims(token(KEYS, "rathaus", "Anna"))
    assert found["name"] == "Anna"
    assert found["iss"] == "a1b2c3d4e5f60718"
    grants = found["video"]
    assert isinstance(grants, dict)
    assert grants["room"] == "rathaus"
    assert grants["roomJoin"] is True
    for power in ("roomAdmin", "roomCreate", "roomList", "roomRecord", "ingressAdmin"):
        assert not grants.get(power)


def test_a_token_ends_soon() -> None:
    begun = datetime.datetime.now(datetime.UTC).timestamp()
    found = claims(token(KEYS, "rathaus", "Anna"))
    ends = int(str(found["exp"]))
    assert begun < ends <= begun + 15 * 60


def test_guests_of_a_call_and_of_the_stack_s_own_program_say_when_their_places_end(
    tmp_path: Path,
) -> None:
    room = call.trial_room()
    own = LIVEKIT.read(token(KEYS, room, "Anna"))
    assert in_test_room(own)
    (tmp_path / "keys.yaml").write_text(KEYS)
    program = JOIN.read_text().replace("/var/lib/ratssaal/secrets/stack", str(tmp_path))
    begun = int(datetime.datetime.now(datetime.UTC).timestamp())
    for left, opens in ((300, True), (3600, True), (-1, False)):
        ended = subprocess.run(
            [sys.executable, "-c", program, "ratssaal-test", "Handy", str(begun + left)],
            capture_output=True,
            check=True,
            text=True,
        )
        given = json.loads(ended.stdout)["token"]
        read = jwt.decode(given, options={"verify_signature": False})
        assert begun + min(left, 600) <= read["exp"] <= begun + min(left, 600) + 5
        assert in_test_room(LIVEKIT.read(given)) is opens


def test_a_token_is_signed_with_the_key_and_no_other() -> None:
    signed = token(KEYS, "rathaus", "Anna")
    with pytest.raises(jwt.InvalidSignatureError):
        claims(signed, "another secret that is long enough for HS256")


def test_a_guests_name_is_not_its_identity_which_the_server_logs() -> None:
    identities = {str(claims(token(KEYS, "rathaus", "Anna"))["sub"]) for _ in range(20)}
    assert len(identities) == 20
    assert not [one for one in identities if "Anna" in one]


def test_the_keys_that_a_box_writes_at_its_first_start_sign_tokens(tmp_path: Path) -> None:
    subprocess.run([WRITER, tmp_path], check=True)
    assert {one.name for one in tmp_path.iterdir()} == {"keys.yaml", "rooms.key"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}
    file, own = tmp_path / "keys.yaml", (tmp_path / "rooms.key").read_text().strip()
    assert re.fullmatch(r"[0-9a-f]{64}", own)
    assert own not in file.read_text()
    name, secret = re.findall(r"[0-9a-f]+", file.read_text())
    assert (len(name), len(secret)) == (16, 64)
    assert claims(token(file.read_text(), "rathaus", "Anna"), secret)["iss"] == name


def test_a_key_made_of_digits_alone_stays_as_it_is() -> None:
    digits = f'"0123456701234567": "{SECRET}"\n'
    assert claims(token(digits, "rathaus", "Anna"))["iss"] == "0123456701234567"


def test_the_first_of_several_keys_signs() -> None:
    both = KEYS + f"ffffffffffffffff: {'f' * 64}\n"
    assert claims(token(both, "rathaus", "Anna"))["iss"] == "a1b2c3d4e5f60718"


def seen(frames: int, moving: int, bright: int) -> dict[str, object]:
    return {"seen": {"other": {"frames": frames, "moving": moving, "bright": bright}}}


def test_a_call_is_held_when_both_saw_enough_moving_pictures() -> None:
    counted = call._counted({"Anna": seen(40, 30, 40), "Bernd": seen(35, 33, 31)})
    assert counted.frames == {"Anna": 40, "Bernd": 35}
    assert counted.moving == {"Anna": 30, "Bernd": 31}
    assert counted.held()
    assert counted.held(30)
    assert not counted.held(31)


@pytest.mark.parametrize(
    "bernd",
    [seen(400, 29, 400), seen(400, 400, 0), seen(0, 0, 0), {"seen": {}}],
    ids=["a standing picture", "a black picture", "no picture", "nobody"],
)
def test_a_call_that_one_side_alone_saw_was_not_held(bernd: dict[str, object]) -> None:
    assert not call._counted({"Anna": seen(400, 400, 400), "Bernd": bernd}).held()


def test_a_call_of_one_was_not_held() -> None:
    assert not Call({}, {"Anna": 400}, {"Anna": 400}).held()
    assert not Call({}, {}, {}).held()


def test_a_guest_without_a_report_is_an_error() -> None:
    with pytest.raises(RatssaalError, match="Bernd"):
        call._counted({"Anna": seen(40, 40, 40), "Bernd": {}})
