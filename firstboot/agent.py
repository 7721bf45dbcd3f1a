"""What the wizard's unprivileged web server may ask of root: these verbs, and nothing else.

systemd starts one instance for each connection to /run/ratssaal-agent.sock, which only the web
server's own user can open. One request, a line of JSON with `verb` and its arguments; one answer,
a line of JSON with `ok` and the result, or `said`, a sentence for people.
"""

import base64
import datetime
import json
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

from firstboot import code, named
from firstboot.files import write_whole
from firstboot.passwords import totp_valid, verify
from firstboot.store import Draft, Store
from firstboot.texts import Said, SaidError
from firstboot.uploads import make_key, make_request, read_bundle

LIMIT_BYTES = 2_000_000
LAST_STEPS = Path("/var/lib/ratssaal/secrets/totp.json")
REQUEST = Path("/var/lib/ratssaal/secrets/request.key")
# The hash of nothing in particular: a name that does not exist costs as much as one that does.
NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$cmF0c3NhYWxyYXRzc2FhbA$"
    "V1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1hZQ1g"
)


def state(store: Store) -> dict[str, Any]:
    """How far the box is: whether set-up is complete, what is in force, wrong codes so far."""
    applied = store.applied()
    known = code.read()
    found = named.read()
    return {
        "complete": applied is not None,
        "generation": applied.generation if applied else 0,
        "pending": store.pending() is not None,
        "code": known is not None,
        "wrong_codes": known.wrong if known else 0,
        "settings": store.generation(applied.generation).public if applied else None,
        "certificate": {
            "names": found.names,
            "issuer": found.issuer,
            "not_after": found.not_after.isoformat(),
        }
        if found
        else None,
    }


def check_code(typed: str) -> bool:
    """Whether `typed` is the set-up code; a wrong one takes a second and is counted."""
    known = code.check(typed)
    if not known:
        subprocess.run(["systemctl", "restart", "--no-block", "ratssaal-console"], check=False)
    return known


def sign_in(store: Store, name: str, password: str, totp: str) -> str:
    """The administrator's name as written in the settings; SaidError where it is not one."""
    applied = store.applied()
    people = store.settings(applied.generation).cluster.administration.people if applied else ()
    person = next((one for one in people if one.name.casefold() == name.casefold()), None)
    right = verify(person.password if person else NOBODY, password)
    if person and right and person.totp:
        steps = json.loads(LAST_STEPS.read_text()) if LAST_STEPS.exists() else {}
        now = datetime.datetime.now(datetime.UTC)
        step = totp_valid(person.totp, totp, now, steps.get(person.name))
        if step is None:
            right = False
        else:
            write_whole(LAST_STEPS, json.dumps({**steps, person.name: step}), mode=0o600)
    if person is None or not right:
        raise SaidError("admin.sign_in_wrong")
    return person.name


def apply(store: Store, who: str) -> int:
    """Make the draft the next generation and begin to bring it into force."""
    settings = Draft(store).settings()
    if not settings.cluster.administration.people:
        raise SaidError("setup.nobody_administers")
    number = store.add(settings, who)
    subprocess.run(["systemctl", "start", "--no-block", "ratssaal-converge.service"], check=True)
    return number


def undo(store: Store, number: int, who: str) -> int:
    """Bring an earlier generation into force again, as a new one."""
    made = store.add(store.settings(number), who)
    subprocess.run(["systemctl", "start", "--no-block", "ratssaal-converge.service"], check=True)
    return made


def power(how: str) -> None:
    """Restart (`reboot`) or switch off (`poweroff`) the box."""
    if how not in ("reboot", "poweroff"):
        raise SaidError("admin.unknown")
    subprocess.run(["systemctl", "--no-block", how], check=True)


def _read_upload(store: Store, upload: dict[str, str]) -> dict[str, Any]:
    """The certificate settings that uploaded files (base64) make; a request has left its key."""
    box = Draft(store).settings().box
    own_key = load_pem_private_key(REQUEST.read_bytes(), None) if REQUEST.exists() else None
    bundle = read_bundle(
        base64.b64decode(upload["chain"]),
        base64.b64decode(upload["key"]) or None,
        upload["password"] or None,
        own_key,  # type: ignore[arg-type]
        [box.host_name, box.turn_name],
        datetime.datetime.now(datetime.UTC),
    )
    return {"kind": "files", "chain": bundle.chain_pem(), "key": bundle.key_pem()}


def request(store: Store) -> str:
    """A certificate request (PEM) for the names in the draft; its key never leaves the box."""
    settings = Draft(store).settings()
    if REQUEST.exists():
        key = load_pem_private_key(REQUEST.read_bytes(), None)
    else:
        key = make_key()
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_whole(REQUEST, key.private_bytes(*form).decode(), mode=0o600)
    names = [settings.box.host_name, settings.box.turn_name]
    return make_request(names, key, settings.cluster.house.name, "")  # type: ignore[arg-type]


def put(store: Store, step: str, part: dict[str, Any], revision: int) -> dict[str, Any]:
    """Keep the answers of one step in the draft."""
    certificate = part.get("box", {}).get("certificate", {})
    if "upload" in certificate:
        part["box"]["certificate"] = _read_upload(store, certificate["upload"])
    try:
        return Draft(store).put(step, part, revision)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(one) for one in first["loc"])
        raise SaidError("setup.not_accepted", answer=place) from error


def room(store: Store, name: str) -> dict[str, Any]:
    """A place in the test room for `name`: what the stack's client needs to join."""
    del store
    program = "/usr/lib/ratssaal/stack/join"
    ended = subprocess.run(
        [program, "ratssaal-test", name], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def answer(asked: dict[str, Any], store: Store) -> Any:
    """Do what a request asks for. Raises SaidError for a mistake of a person's."""
    verbs: dict[str, Callable[..., Any]] = {
        "state": lambda: state(store),
        "code": lambda typed: check_code(str(typed)),
        "sign-in": lambda name, password, totp: sign_in(store, name, password, totp),
        "draft": lambda: Draft(store).public(),
        "put": lambda step, part, revision: put(store, step, part, revision),
        "discard": lambda: Draft(store).discard(),
        "apply": lambda who: apply(store, who),
        "undo": lambda number, who: undo(store, int(number), who),
        "history": lambda: [vars(one) | {"failed": None} for one in store.history()],
        "request": lambda: request(store),
        "power": lambda how: power(how),
        "room": lambda name: room(store, name),
    }
    arguments = dict(asked)
    verb = str(arguments.pop("verb", ""))
    if verb not in verbs:
        raise SaidError("setup.not_accepted", answer=verb)
    return verbs[verb](**arguments)


def main() -> None:
    """Answer the one request on standard input."""
    line = sys.stdin.buffer.readline(LIMIT_BYTES)
    reply: dict[str, Any]
    try:
        reply = {"ok": answer(json.loads(line), Store())}
    except SaidError as error:
        reply = {"said": [error.said.key, error.said.values]}
    except (ValueError, TypeError) as error:
        # Bad requests come from our own web server or from whoever broke into it: no details.
        print(f"<4>bad request: {type(error).__name__}", file=sys.stderr)  # noqa: T201
        said = Said("setup.not_accepted", {"answer": ""})
        reply = {"said": [said.key, said.values]}
    sys.stdout.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main()
