"""Root's side of the test room: places in it, passes to it, and the box's own visit."""

import json
import subprocess
import time
from typing import Any

from firstboot import proof
from firstboot.access import passes
from firstboot.store import Store
from firstboot.texts import LANGUAGES, SaidError, say

JOIN = "/usr/lib/ratssaal/stack/join"


def place(name: str, until: int | None = None) -> dict[str, Any]:
    """A place in the test room for `name`: what the stack's client needs to join.

    until: when it ends, in seconds since 1970; else it lasts as long as a new pass.
    """
    ends = until or int(time.time()) + passes.SECONDS
    command = [JOIN, "ratssaal-test", name, str(ends)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def prove(store: Store) -> list[dict[str, Any]]:
    """Have the box call itself by its name; see firstboot.proof. Raises SaidError."""
    applied = store.applied()
    if applied is None:
        raise SaidError("proof.not_yet")
    kept = store.secrets / "proof.json"
    if (fresh := proof.latest(kept)) is not None:
        return fresh
    box = store.generation(applied.generation).public["box"]
    places = [place("Ratssaal") for _ in proof.WAYS]
    found = proof.call_itself(box["host_name"], box["turn_name"], places)
    proof.keep(kept, found)
    return found


def invite(store: Store, kind: str) -> dict[str, Any]:
    """A pass to the test room for one of `passes.KINDS`, and until when it is good."""
    token, made = passes.give(store.secrets / passes.KEY, kind)
    return {"pass": token, "until": made.until}


def holder(store: Store, token: str) -> dict[str, Any]:
    """What a pass says. Raises SaidError where it is over, or was never given like this."""
    return vars(passes.check(store.secrets / passes.KEY, token))


def guest(store: Store, token: str, language: str) -> dict[str, Any]:
    """A place in the test room for whoever holds a pass, called by its kind in `language`.

    It ends with the pass and says nothing of a person. Raises SaidError as `holder`, ValueError for
    a language that the box does not speak.
    """
    if language not in LANGUAGES:
        raise ValueError(language)
    held = holder(store, token)
    return place(say(language, f"proof.{held['kind']}"), held["until"])
