"""What the wizard is told of an installation, and what it may ask for: a disk that it was shown."""

from typing import Any

from firstboot.image import image_version
from firstboot.install import choice, disks, state
from firstboot.install.disks import Disk
from firstboot.texts import Said, SaidError


def offer() -> dict[str, Any]:
    """`stick`: whether the box runs from one; `disks`: those it could be installed on instead.

    `said`: key and values of why there are none.
    """
    known = disks.found()
    if not disks.from_stick(known):
        return {"stick": False, "disks": [], "said": None}
    possible = choice.candidates(known)
    said = choice.source(known) or (None if possible else Said("install.no_disk"))
    if said:
        return {"stick": True, "disks": [], "said": [said.key, said.values]}
    return {"stick": True, "disks": [_shown(one) for one in possible], "said": None}


def _shown(disk: Disk) -> dict[str, Any]:
    no = choice.refusal(disk)
    return {
        "path": disk.path,
        "name": disk.name,
        "title": disk.title,
        "content": ", ".join(disk.content),
        "version": disk.version,
        "kept": disk.kept,
        "refused": [no.key, no.values] if no else None,
    }


def begin(path: str, way: str, name: str) -> None:
    """Have the unit begin on the disk at `path`, whose name was typed. Raises SaidError."""
    known = disks.found()
    if said := choice.source(known):
        raise SaidError(said.key, **said.values)
    if state.under_way():
        return  # somebody was faster
    disk = next((one for one in choice.candidates(known) if one.path == path), None)
    if disk is None:
        raise SaidError("install.changed")
    if said := choice.refusal(disk):
        raise SaidError(said.key, **said.values)
    if way not in ("anew", "repair") or (way == "repair" and not disk.kept):
        raise SaidError("install.wrong_way")
    if way == "repair" and (said := choice.too_old(disk, image_version())):
        raise SaidError(said.key, **said.values)
    if not choice.named(disk, name):
        raise SaidError("install.wrong_name")
    state.ask(disk, "repair" if way == "repair" else "anew", "stick")
