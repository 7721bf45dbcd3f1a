"""What the service signs: read back as it was, and nothing else is believed."""

import base64
import json

import jwt
import pytest

from meet.errors import RefusedError
from meet.names import new_identity, new_room
from meet.policy import Rules
from meet.signed import Invitation, Seat, Signer, Ticket, now

pytestmark = pytest.mark.unit

KEY = b"k" * 64
SIGNER = Signer(KEY)


def invitation(**changes: object) -> Invitation:
    claims = {"room": new_room(), "tenant": "a.example", "role": "participant", "title": "Rat"}
    return Invitation.model_validate({**claims, "exp": now() + 60, **changes})


def ticket(**changes: object) -> Ticket:
    claims = {"room": new_room(), "tenant": "a.example", "identity": new_identity(), "name": "B"}
    times = {"iat": now(), "exp": now() + 60}
    return Ticket.model_validate({**claims, "role": "participant", **times, **changes})


def test_what_was_signed_is_read_back_whole() -> None:
    given = invitation(rules=Rules(chat=False, max_people=7), nbf=now() + 5, title="Größe 🎉")
    assert SIGNER.read(Invitation, SIGNER.sign(given)) == given
    person = ticket()
    assert SIGNER.read(Ticket, SIGNER.sign(person)) == person
    seat = SIGNER.read(Seat, SIGNER.seat(person))
    assert (seat.identity, seat.role, seat.name) == (person.identity, person.role, person.name)
    assert 12 * 3600 - 5 <= seat.exp - now() <= 12 * 3600


def test_invitations_are_read_before_their_time_and_after_it() -> None:
    for given in (invitation(exp=now() - 10**6), invitation(nbf=now() + 10**6)):
        assert SIGNER.read(Invitation, SIGNER.sign(given)) == given


def test_a_seat_that_has_run_out_is_over() -> None:
    with pytest.raises(RefusedError, match="over"):
        SIGNER.read(Ticket, SIGNER.sign(ticket(exp=now() - 10)))


def test_one_kind_never_passes_for_another() -> None:
    person = ticket()
    texts = {Ticket: SIGNER.sign(person), Seat: SIGNER.seat(person)}
    with pytest.raises(RefusedError, match="not_allowed"):
        SIGNER.read(Seat, texts[Ticket])
    with pytest.raises(RefusedError, match="not_allowed"):
        SIGNER.read(Ticket, texts[Seat])
    for text in texts.values():
        with pytest.raises(RefusedError, match="wrong_invitation"):
            SIGNER.read(Invitation, text)
    for own in (lambda text: SIGNER.read(Seat, text), lambda text: SIGNER.read(Ticket, text)):
        with pytest.raises(RefusedError, match="not_allowed"):
            own(SIGNER.sign(invitation()))


def _coded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_what_another_has_signed_or_nobody_is_not_believed() -> None:
    claims = invitation().model_dump(mode="json", exclude_none=True)
    good = SIGNER.sign(invitation())
    head, body, mark = good.split(".")
    moderator = _coded({**claims, "role": "moderator"})
    forged = [
        Signer(b"x" * 64).sign(invitation()),
        f"{_coded({'alg': 'none', 'typ': 'JWT'})}.{moderator}.",
        f"{_coded({'alg': 'None'})}.{moderator}.",
        f"{head}.{moderator}.{mark}",
        f"{head}.{body}.{mark[:-2]}",
        f"{head}.{body}",
        jwt.encode(claims, KEY, algorithm="HS512"),
        jwt.encode({**claims, "aud": ["invite", "seat"]}, KEY, algorithm="HS256"),
        jwt.encode({**claims, "role": "owner"}, KEY, algorithm="HS256"),
        jwt.encode({**claims, "room": "../../etc"}, KEY, algorithm="HS256"),
        jwt.encode({**claims, "more": 1}, KEY, algorithm="HS256"),
        jwt.encode({one: claims[one] for one in claims if one != "exp"}, KEY, algorithm="HS256"),
        "",
        ".",
        "x" * 100_000,
        "eyJ\x00",
        "ü.ü.ü",
    ]
    for text in forged:
        with pytest.raises(RefusedError, match="wrong_invitation"):
            SIGNER.read(Invitation, text)
    assert SIGNER.read(Invitation, good)


def test_a_short_key_signs_nothing() -> None:
    with pytest.raises(ValueError, match="256 bits"):
        Signer(b"short")
