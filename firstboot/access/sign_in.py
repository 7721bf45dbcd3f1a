"""How somebody gets a permit: by the code from the box's screen, or by a password."""

import datetime
import hashlib
import json
import time

from firstboot.access import code
from firstboot.access.passwords import proof_of_staff, totp_valid, verify
from firstboot.access.permits import NOBODY, Asker, Permits
from firstboot.files import write_whole
from firstboot.screen.anew import redraw
from firstboot.settings import Administrator
from firstboot.store import Store
from firstboot.texts import SaidError

# The hash of nothing in particular: a name that does not exist costs as much as one that does.
NOBODYS = (
    "$argon2id$v=19$m=65536,t=3,p=2$cmF0c3NhYWxyYXRzc2FhbA$"
    "V1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1g"
)


# Six digits are guessed in no time by whoever has the password and may try as often as he likes.
WRONG_DIGITS = 10
WAIT_SECONDS = 900.0


def permits(store: Store) -> Permits:
    """The permits that root's side has given."""
    return Permits(store.secrets / "permits.json")


def check_code(store: Store, typed: str) -> str | None:
    """A permit where `typed` is the code; None, a second later and counted, where it is not.

    After set-up there is a code only where somebody at the box has asked for one, since nobody can
    sign in any more: it is good for once, and for all that administrators may do.
    """
    if not code.check(typed):
        redraw()
        return None
    with store.locked():
        if store.applied() is None:
            return permits(store).give(Asker("clerk"))
        code.forget()
        redraw()
        return permits(store).give(Asker("administrator"))


def _proof(person: Administrator) -> str:
    return hashlib.sha256(person.password.encode()).hexdigest()


def _administrators(store: Store) -> tuple[Administrator, ...]:
    applied = store.applied()
    return store.settings(applied.generation).cluster.administration.people if applied else ()


def _digits_taken(store: Store, person: Administrator, digits: str) -> bool:
    """Whether `digits` are those of the person's app; they are worth nothing afterwards.

    For whoever has typed the right password: nobody else may have wrong ones counted. Raises
    SaidError for a while after WRONG_DIGITS of them, whatever is typed then.
    """
    if not person.totp:
        return True
    tries = store.secrets / "totp-wrong.json"
    wrong = json.loads(tries.read_text()) if tries.exists() else {}
    count, last = wrong.pop(person.name, (0, 0.0))
    if not 0 <= time.time() - last < WAIT_SECONDS:
        count = 0
    if count >= WRONG_DIGITS:
        raise SaidError("admin.digits_wait")
    file = store.secrets / "totp.json"
    steps = json.loads(file.read_text()) if file.exists() else {}
    now = datetime.datetime.now(datetime.UTC)
    step = totp_valid(person.totp, digits, now, steps.get(person.name))
    if step is None:
        if digits.strip():
            counted = {**wrong, person.name: (count + 1, time.time())}
            write_whole(tries, json.dumps(counted), mode=0o600)
        return False
    if count:
        write_whole(tries, json.dumps(wrong), mode=0o600)
    write_whole(file, json.dumps({**steps, person.name: step}), mode=0o600)
    return True


def prove(store: Store, name: str, password: str, totp: str) -> Administrator:
    """The administrator of this name, password and digits. Raises SaidError for any other.

    Who has the password alone is told when no digits are taken for a while.
    """
    people = _administrators(store)
    person = next((one for one in people if one.name.casefold() == name.casefold()), None)
    right = verify(person.password if person else NOBODYS, password)
    with store.locked():
        if person and right and _digits_taken(store, person, totp):
            return person
    raise SaidError("admin.sign_in_wrong")


def sign_in(store: Store, name: str, password: str, totp: str) -> dict[str, str]:
    """`name` as written in the settings and a `permit`; SaidError where it is no administrator."""
    person = prove(store, name, password, totp)
    asker = Asker("administrator", person.name, _proof(person))
    with store.locked():
        return {"name": person.name, "permit": permits(store).give(asker)}


def check_person(store: Store, name: str, password: str, totp: str) -> dict[str, str]:
    """`name` as written in the settings, and no permit; SaidError where it is no administrator.

    `proof`: what the store says of this person too, for as long as the password is the same.
    """
    person = prove(store, name, password, totp)
    return {"name": person.name, "proof": proof_of_staff(person.name, person.password)}


def who_asks(store: Store, permit: str) -> Asker:
    """Whose permit this is. Who is no administrator any more, or has a new password, is NOBODY."""
    with store.locked():
        asker = permits(store).find(permit)
    if asker.proof:
        known = {one.name: _proof(one) for one in _administrators(store)}
        return asker if known.get(asker.name) == asker.proof else NOBODY
    return asker
