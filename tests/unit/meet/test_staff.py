"""Who is signed in to book rooms, and for how long."""

from pathlib import Path
from typing import Any

import pytest

from firstboot.access.passwords import proof_of_staff
from meet import staff
from meet.errors import RefusedError
from meet.staff import COOKIE, Proven
from tests.unit.meet.front import Front

pytestmark = pytest.mark.unit

HASHES = [f"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ${one * 22}" for one in "ab"]


def people(*named: tuple[str, str]) -> dict[str, Any]:
    """The part of the settings that says who administers, as converge puts it into the store."""
    return {"people": [{"name": name, "proof": proof_of_staff(name, one)} for name, one in named]}


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Front:
    """A house in which Anna and Berta book; Anna's password is right."""
    made = Front(tmp_path, monkeypatch, "council")
    made.settings["administration"] = people(("Anna", HASHES[0]), ("Berta", HASHES[1]))
    made.publish()

    async def check(name: str, password: str, totp: str) -> Proven:
        del totp
        if (name.casefold(), password) != ("anna", "right"):
            raise RefusedError("sign_in_wrong")
        return Proven(name="Anna", proof=proof_of_staff("Anna", HASHES[0]))

    monkeypatch.setattr(staff, "check", check)
    return made


def signed_in(front: Front) -> str | None:
    name: str | None = front.ask("GET", "staff").json()["name"]
    assert (front.ask("GET", "rooms").status_code == 200) is (name is not None)
    return name


@pytest.fixture
def inside(front: Front) -> Front:
    """Anna has signed in."""
    assert signed_in(front) is None
    answer = front.ask("POST", "staff/sign-in", {"name": "anna", "password": "right"})
    assert answer.json() == {"name": "Anna", "may_create": True, "directory": None}
    assert signed_in(front) == "Anna"
    return front


def test_a_wrong_password_begins_nothing(front: Front) -> None:
    answer = front.ask("POST", "staff/sign-in", {"name": "anna", "password": "wrong"})
    assert (answer.status_code, answer.json()) == (403, {"error": "sign_in_wrong"})
    assert COOKIE not in answer.cookies
    assert signed_in(front) is None


def test_other_changes_of_the_settings_end_no_session(inside: Front) -> None:
    inside.settings["meetings"] = {"preset": "school"}
    inside.settings["administration"] = people(("Anna", HASHES[0]))
    inside.publish()
    assert signed_in(inside) == "Anna"


@pytest.mark.parametrize(
    "left",
    [
        people(("Anna", HASHES[1]), ("Berta", HASHES[1])),
        people(("Berta", HASHES[1])),
        people(("Berta", HASHES[0])),
        {},
        # Of settings that a version before has put into the store.
        {"people": [{"name": "Anna"}]},
        {"people": [{"name": "Anna", "proof": ""}]},
    ],
)
def test_a_new_password_or_a_lost_office_ends_the_session(
    inside: Front, left: dict[str, Any]
) -> None:
    inside.settings["administration"] = left
    inside.publish()
    assert signed_in(inside) is None
    assert inside.ask("POST", "rooms", {"title": "Rat"}).json() == {"error": "not_signed_in"}


def test_somebody_else_with_the_same_name_does_not_take_the_session_over(inside: Front) -> None:
    for left in (people(("Berta", HASHES[1])), people(("Anna", HASHES[1]))):
        inside.settings["administration"] = left
        inside.publish()
    assert signed_in(inside) is None


def test_a_session_that_proves_nothing_is_none(inside: Front) -> None:
    (kept,) = [key for key in inside.store.kept if key.startswith(staff.PLACE)]
    assert inside.token not in "".join([*inside.store.kept, *inside.store.kept.values()])
    for text in ("Anna", '{"name": "Anna"}', '{"name": "Anna", "proof": ""}', "[]"):
        inside.store.kept[kept] = text
        assert signed_in(inside) is None


def test_signing_out_ends_the_session(inside: Front) -> None:
    token = inside.token
    assert inside.ask("POST", "staff/sign-out").status_code == 200
    inside.token = token
    assert signed_in(inside) is None
