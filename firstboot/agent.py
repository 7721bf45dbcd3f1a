"""What the wizard's unprivileged web server may ask of root: these verbs, and nothing else.

systemd starts one instance for each connection to /run/ratssaal-agent.sock, which only the web
server's own user can open, and the rooms service, which may ask for "check" alone. One request, a
line of JSON with `verb`, its arguments, and the `permit` of who asks; one answer, a line of JSON
with `ok` and the result, or `said`, a sentence for people.

The web server is not believed: a permit is had for a right code or password alone, a clerk's ends
with set-up, and an administrator's with the password it was given for. Root needs none.
"""

import base64
import datetime
import json
import os
import pwd
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from firstboot import bring_back, errands, network, recovery, reset, trial_room
from firstboot.access import code
from firstboot.access.permits import NOBODY, ROOMS, ROOT, Asker, Role
from firstboot.access.sign_in import check_code, check_person, permits, sign_in, who_asks
from firstboot.certificates import named
from firstboot.certificates.expiry import last_attempt
from firstboot.certificates.fingerprint import mark
from firstboot.certificates.own import SERVED
from firstboot.certificates.request import make_key, make_request
from firstboot.certificates.uploads import Bundle, read_bundle
from firstboot.files import write_whole
from firstboot.firmware import has_tpm
from firstboot.install import offer
from firstboot.install import state as install
from firstboot.screen.console import root_is_encrypted
from firstboot.settings import Settings, place_of
from firstboot.store import Draft, Store
from firstboot.texts import Said, SaidError

LIMIT_BYTES = 2_000_000
# The users who may open the socket, beside root.
WIZARD = "ratssaal-setup"
ROOMS_SERVICE = "ratssaal-meet"
# Who may ask for what. A clerk may until set-up is complete, save for what CLERKS_AFTERWARDS names.
RIGHTS: dict[str, tuple[Role, ...]] = {
    "state": ("nobody", "clerk", "administrator"),
    "code": ("nobody", "clerk", "administrator"),
    "sign-in": ("nobody", "clerk", "administrator"),
    "sign-out": ("nobody", "clerk", "administrator"),
    "draft": ("clerk", "administrator"),
    "put": ("clerk", "administrator"),
    "request": ("clerk", "administrator"),
    "authority": ("clerk", "administrator"),
    "apply": ("clerk", "administrator"),
    "disks": ("clerk",),
    "install": ("clerk",),
    "room": ("clerk", "administrator"),
    "rooms": ("administrator",),
    "support": ("administrator",),
    "preview": ("administrator",),
    "previewed": ("administrator",),
    "prove": ("clerk", "administrator"),
    "invite": ("clerk", "administrator"),
    "guest": ("nobody", "clerk", "administrator"),
    "pass": ("nobody", "clerk", "administrator"),
    "discard": ("administrator",),
    "undo": ("administrator",),
    "history": ("administrator",),
    "generation": ("administrator",),
    "power": ("administrator",),
    "reset": ("administrator",),
    "recovery": ("clerk", "administrator"),
    "recovery-confirm": ("clerk", "administrator"),
    "recovery-copy": ("administrator",),
    "check": ("rooms",),
}
CHANGES = ("sign-out", "put", "request", "apply", "discard", "undo", "invite", "install")
# What would be kept on the stick alone, once the copying has begun.
LOST_MEANWHILE = ("put", "request", "apply")
CLERKS_AFTERWARDS = (
    "state", "code", "sign-in", "sign-out", "room", "prove", "invite", "guest", "pass",
)  # fmt: skip


def state(store: Store, asker: Asker = ROOT) -> dict[str, Any]:
    """How far the box is: whether set-up is complete, what is in force, wrong codes so far.

    Of what is in force nobody learns who has no permit.
    """
    applied = store.applied()
    known = code.read()
    found = named.read()
    attempt = last_attempt()
    if asker.role == "nobody":
        found = attempt = None
    told = applied if asker.role != "nobody" else None
    return {
        "complete": applied is not None,
        "generation": applied.generation if applied else 0,
        "pending": store.pending() is not None,
        "name": reset.name_of(store),
        "encrypted": root_is_encrypted(),
        "tpm": has_tpm(),
        "recovery": recovery.state(store),
        "code": known is not None,
        "wrong_codes": known.wrong if known else 0,
        "settings": store.public(told.generation) if told else None,
        "destination": _destination(store) if asker.role != "nobody" else None,
        "certificate": {
            "names": found.names,
            "issuer": found.issuer,
            "not_after": found.not_after.isoformat(),
        }
        if found
        else None,
        "attempt": attempt.content() if attempt else None,
    }


def _destination(store: Store, draft: Settings | None = None) -> str | None:
    """Where browsers find the box once the draft, or else what is pending, is in force.

    As firstboot.network.destination says.
    """
    pending, applied = store.pending(), store.applied()
    if draft is None and pending is None:
        return None
    former = store.settings(applied.generation if applied else None)
    wanted = draft or store.settings(pending)
    return network.destination(former.box.network, wanted.box.network)


def show_draft(store: Store) -> dict[str, Any]:
    """The draft without secrets, and where it would take the box."""
    draft = Draft(store)
    return {**draft.public(), "destination": _destination(store, draft.settings())}


def apply(store: Store, who: str, revision: int | None = None) -> int:
    """Make the draft the next generation and begin to bring it into force.

    Whoever presses twice gets the same generation again. revision: of the draft that was looked at;
    SaidError where it is another one by now.
    """
    if revision is not None and revision != Draft(store).read()["revision"]:
        raise SaidError("store.somebody_else")
    settings = Draft(store).settings()
    if not settings.cluster.administration.people:
        raise SaidError("setup.nobody_administers")
    number = store.pending()
    if number is None or store.settings(number) != settings:
        number = store.add(settings, who)
    subprocess.run(["systemctl", "start", "--no-block", "ratssaal-converge.service"], check=True)
    return number


def power(how: str) -> None:
    """Restart (`reboot`) or switch off (`poweroff`) the box."""
    if how not in ("reboot", "poweroff"):
        raise SaidError("admin.unknown")
    unit = f"{how}.target"
    command = ["systemctl", "start", "--no-block", "--job-mode=replace-irreversibly", unit]
    subprocess.run(command, check=True)


def _request_file(store: Store) -> Path:
    return store.secrets / "request.key"


def _read_upload(store: Store, upload: dict[str, str]) -> Bundle:
    """What is in uploaded files (base64); a request has left its key."""
    box = Draft(store).settings().box
    file = _request_file(store)
    own_key = load_pem_private_key(file.read_bytes(), None) if file.exists() else None
    return read_bundle(
        base64.b64decode(upload["chain"]),
        base64.b64decode(upload["key"]) or None,
        upload["password"] or None,
        own_key,  # type: ignore[arg-type]
        [box.host_name, box.turn_name],
        datetime.datetime.now(datetime.UTC),
    )


def request(store: Store) -> str:
    """A certificate request (PEM) for the names in the draft; its key never leaves the box."""
    settings = Draft(store).settings()
    file = _request_file(store)
    if file.exists():
        key = load_pem_private_key(file.read_bytes(), None)
    else:
        key = make_key()
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_whole(file, key.private_bytes(*form).decode(), mode=0o600)
    names = [settings.box.host_name, settings.box.turn_name]
    return make_request(names, key, settings.cluster.house.name, "")  # type: ignore[arg-type]


def put(
    store: Store, step: str, part: dict[str, Any], revision: int, asker: Asker = ROOT
) -> dict[str, Any]:
    """Keep the answers of one step in the draft; `notes`: what is to be said of them."""
    notes: tuple[Said, ...] = ()
    if asker == Asker("administrator"):
        # By the code at the box: whoever lost a password has often lost the app beside it, too.
        for person in part.get("cluster", {}).get("administration", {}).get("people", ()):
            if "password" in person:
                person.setdefault("totp", None)
    certificate = part.get("box", {}).get("certificate", {})
    if "upload" in certificate:
        bundle = _read_upload(store, certificate["upload"])
        notes = bundle.notes
        files = {"kind": "files", "chain": bundle.chain_pem(), "key": bundle.key_pem()}
        part["box"]["certificate"] = files
    try:
        kept = Draft(store).put(step, part, revision)
    except ValidationError as error:
        raise SaidError("setup.not_accepted", answer=place_of(error)) from error
    return {**kept, "notes": [[one.key, one.values] for one in notes]}


def authority(served: Path = SERVED) -> dict[str, str]:
    """The certificate of the box's own authority (PEM), and the mark by which people know it."""
    file = served / "authority.pem"
    return {"pem": file.read_text(), "mark": mark(file)}


def answer(asked: dict[str, Any], store: Store, known: Asker | None = None) -> Any:
    """Do what a request asks for, for `known` or for whom its permit names.

    Raises SaidError for a mistake of a person's.
    """
    verbs: dict[str, Callable[..., Any]] = {
        "state": lambda: state(store, asker),
        "code": lambda typed: check_code(store, str(typed)),
        "sign-in": lambda name, password, totp: sign_in(store, name, password, totp),
        "sign-out": lambda: permits(store).end(str(asked.get("permit", ""))),
        "draft": lambda: show_draft(store),
        "put": lambda step, part, revision: put(store, step, part, revision, asker),
        "discard": lambda: Draft(store).discard(),
        "apply": lambda who, revision=None: apply(store, asker.name or who, revision),
        "undo": lambda number, who: bring_back.undo(store, int(number), asker.name or who),
        "history": lambda: [
            vars(one) | {"failed": [one.failed.key, one.failed.values] if one.failed else None}
            for one in store.history()
        ],
        "generation": lambda number: bring_back.preview(store, int(number)),
        "rooms": errands.rooms,
        "support": errands.support,
        "preview": errands.begin_preview,
        "previewed": lambda: errands.previewed(store),
        "request": lambda: request(store),
        "authority": lambda: authority(),
        "disks": lambda: offer.offer(),
        "install": lambda path, way, name: offer.begin(str(path), str(way), str(name)),
        "power": lambda how: power(how),
        "recovery": lambda password, totp: recovery.show(store, asker, password, totp),
        "recovery-confirm": lambda typed: recovery.confirm(store, typed),
        "recovery-copy": lambda: recovery.for_district(store),
        "reset": lambda password, totp, typed: reset.by_administrator(
            store, asker, password, totp, typed
        ),
        "check": lambda name, password, totp: check_person(store, name, password, totp),
        "room": lambda name: trial_room.place(name),
        "prove": lambda: trial_room.prove(store),
        "invite": lambda kind: trial_room.invite(store, str(kind)),
        "guest": lambda token, language: trial_room.guest(store, str(token), str(language)),
        "pass": lambda token: trial_room.holder(store, str(token)),
    }
    arguments = dict(asked)
    verb = str(arguments.pop("verb", ""))
    arguments.pop("permit", None)
    if verb not in verbs:
        raise SaidError("setup.not_accepted", answer=verb)
    asker = known or who_asks(store, str(asked.get("permit", "")))
    if asker.role != "root":
        closed = asker.role == "clerk" and verb not in CLERKS_AFTERWARDS
        if asker.role not in RIGHTS[verb] or (closed and store.applied() is not None):
            raise SaidError("setup.not_allowed")
    if verb in CHANGES:
        with store.locked():
            if verb in LOST_MEANWHILE and install.under_way():
                raise SaidError("install.under_way")
            return verbs[verb](**arguments)
    return verbs[verb](**arguments)


def reply(line: bytes, store: Store, known: Asker | None = None) -> dict[str, Any]:
    """The answer to one request as it goes back: `ok` with the result, or `said`."""
    try:
        return {"ok": answer(json.loads(line), store, known)}
    except SaidError as error:
        return {"said": [error.said.key, error.said.values]}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # Bad requests come from our own web server or from whoever broke into it: no details.
        print(f"<4>bad request: {type(error).__name__}", file=sys.stderr)  # noqa: T201
        said = Said("setup.not_accepted", {"answer": ""})
        return {"said": [said.key, said.values]}


def peer(descriptor: int) -> int:
    """The user at the other end (SO_PEERCRED of unix(7)); our own where no socket is in between."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            raw = connection.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
            )
    except OSError:
        return os.geteuid()
    user: int = struct.unpack("3i", raw)[1]
    return user


def known(user: int) -> Asker | None:
    """Who asks, by user: None for the wizard, which shows permits; others are nobody."""
    if user == 0:
        return ROOT
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        return NOBODY
    return {WIZARD: None, ROOMS_SERVICE: ROOMS}.get(name, NOBODY)


def main() -> None:
    """Answer the one request on standard input."""
    line = sys.stdin.buffer.readline(LIMIT_BYTES)
    asker = known(peer(sys.stdin.fileno()))
    sys.stdout.write(json.dumps(reply(line, Store(), asker)) + "\n")


if __name__ == "__main__":
    main()
