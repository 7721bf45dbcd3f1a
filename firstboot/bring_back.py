"""Brings earlier settings into force again, without those who administered then.

Who administers stays as it is now, with the present passwords and apps: an old password must not
open anything again, nor come back who was removed since.
"""

import subprocess
from typing import Any

from firstboot.settings import Settings, split
from firstboot.store import Draft, Store, changes
from firstboot.texts import SaidError


def _brought_back(store: Store, number: int) -> tuple[Settings, Settings]:
    """The settings in force, and what they would be with those of `number` brought back."""
    applied = store.applied()
    now = store.settings(applied.generation if applied else None)
    earlier, present = store.settings(number), now.cluster.administration
    people = {"people": present.people, "alone_because": present.alone_because}
    administration = earlier.cluster.administration.model_copy(update=people)
    cluster = earlier.cluster.model_copy(update={"administration": administration})
    return now, earlier.model_copy(update={"cluster": cluster})


def preview(store: Store, number: int) -> dict[str, Any]:
    """What bringing `number` back would do: `settings`, without secrets, and `what` changes."""
    now, then = (one.model_dump(mode="json") for one in _brought_back(store, number))
    found = store.generation(number)
    public, _ = split(then)
    what = changes(now, then)
    return {
        "number": number, "time": found.time, "who": found.who, "what": what, "settings": public,
    }  # fmt: skip


def undo(store: Store, number: int, who: str) -> int:
    """Bring an earlier generation into force again, as a new one; the draft goes with it.

    Raises SaidError where that would change nothing. The caller holds the store's lock.
    """
    now, wanted = _brought_back(store, number)
    if wanted == now:
        raise SaidError("store.nothing_to_bring_back", number=number)
    made = store.add(wanted, who)
    Draft(store).discard()
    subprocess.run(["systemctl", "start", "--no-block", "ratssaal-converge.service"], check=True)
    return made
