"""How the box does, in words: what runs, how busy it is, who is meeting."""

from pathlib import Path

from firstboot.health import STORE
from firstboot.load import Share
from firstboot.screen.anew import HEALTH, found_wrong
from firstboot.texts import Said
from firstboot.web.forms import Note

# What a unit or an address is for. All others belong to the conferencing stack.
PARTS = {
    "nginx.service": "web",
    "nftables.service": "filter",
    "etcd.service": "store",
    STORE: "store",
    "systemd-networkd.service": "network",
}
# Of what meetings use most, and of which something else has to be said where none is held.
IDLE = ("processor", "network")


def health_notes(file: Path = HEALTH) -> list[Note]:
    """What the box itself has found at its last look."""
    wrong = found_wrong(file)
    if wrong is None:
        return [Note("note", Said("admin.health_unknown"))]
    if not wrong:
        return [Note("good", Said("admin.healthy"))]
    parts = dict.fromkeys(PARTS.get(one, "stack") for one in wrong)
    return [Note("problem", Said(f"admin.health_{part}")) for part in parts]


def load_said(share: Share, rooms: dict[str, int] | None) -> tuple[Said, Said]:
    """How much of one thing is in use, and what that means for meetings.

    rooms: as the stack counts them; None: it does not answer. Where nobody is meeting, advice to
    end a meeting would be of no use.
    """
    values: dict[str, object] = {
        "percent": share.percent or 0,
        "used": round(share.used),
        "whole": round(share.whole),
    }
    ratio = "rate" if share.percent is None else share.name
    level: str = share.level
    if share.name in IDLE and level != "good" and rooms is not None and not rooms["people"]:
        level = "idle"
    return Said(f"admin.ratio_{ratio}", values), Said(f"admin.load_{share.name}_{level}")


def meeting_said(rooms: dict[str, int] | None) -> Said:
    """How many are meeting now; nobody's name."""
    if rooms is None:
        return Said("admin.rooms_unknown")
    if not rooms["people"]:
        return Said("admin.rooms_none")
    return Said("admin.rooms_some", dict(rooms))
