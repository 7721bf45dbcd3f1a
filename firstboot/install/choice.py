"""Which disk is meant, and whether it may be installed on: nothing is guessed."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from firstboot.install.disks import Disk, from_stick
from firstboot.settings import InstallDisk
from firstboot.texts import Said, SaidError

# The boot partition, both slots with their hash trees, root at its least, and the table: those of
# repart's files, in bytes.
NEEDED = 12 * 2**30


def refusal(disk: Disk) -> Said | None:
    """Why nothing is installed on `disk`; None where nothing speaks against it."""
    values: dict[str, object] = {"disk": disk.title}
    if disk.started:
        return Said("install.running", values)
    if disk.pluggable:
        return Said("install.pluggable", values)
    if disk.read_only:
        return Said("install.read_only", values)
    if disk.size < NEEDED:
        return Said("install.too_small", values | {"needed": round(NEEDED / 1e9)})
    if disk.in_use:
        return Said("install.in_use", values)
    return None


def source(disks: Sequence[Disk]) -> Said | None:
    """Why this box is no source to install from; None where nothing speaks against it.

    A stick, and a disk on which the same image was written from outside, are the same to the box:
    it cannot tell from which of them it runs.
    """
    started = [one for one in disks if one.started]
    if len(started) > 1:
        return Said("install.twins", {"disks": "; ".join(one.title for one in started)})
    return None if from_stick(disks) else Said("install.not_from_stick")


def too_old(disk: Disk, version: str) -> Said | None:
    """Why `version` does not repair a Ratssaal on `disk`: it would not know its settings."""
    there, here = ([int(one) for one in re.findall(r"\d+", of)] for of in (disk.version, version))
    if there <= here:
        return None
    values: dict[str, object] = {"disk": disk.title, "version": disk.version, "stick": version}
    return Said("install.too_old", values)


def candidates(disks: Sequence[Disk]) -> list[Disk]:
    """Those that belong to the box, whether they may be installed on or not."""
    return [one for one in disks if not one.started and not one.pluggable]


def plain(name: str) -> str:
    """A name as it is compared: letters and digits, y and z as one, whichever keyboard it is."""
    return "".join(one for one in name.casefold() if one.isalnum()).replace("y", "z")


def named(disk: Disk, typed: str) -> bool:
    """Whether `typed` is the name of `disk`."""
    return plain(typed) == plain(disk.name) != ""


def by_answers(disks: Sequence[Disk], wanted: InstallDisk, written: Callable[[str], bool]) -> Disk:
    """The one disk of the box that all of `wanted` fits. Raises SaidError.

    By its size alone, or because it is the only one, no disk is named: nothing on it is overwritten
    then, and `written` says of a path whether there is something that has no name. A Ratssaal on it
    never is.
    """
    fitting = [
        one
        for one in candidates(disks)
        if wanted.serial in ("", one.serial)
        and plain(wanted.model) in ("", plain(one.model))
        and wanted.size in (0, one.gigabytes)
    ]
    if len(fitting) != 1:
        key = "install.none_fits" if not fitting else "install.several_fit"
        titles = "; ".join(one.title for one in (fitting or candidates(disks)))
        raise SaidError(key, disks=titles or "-")
    disk = fitting[0]
    if said := refusal(disk):
        raise SaidError(said.key, **said.values)
    if disk.version:
        raise SaidError("install.has_ratssaal", disk=disk.title, version=disk.version)
    if not (wanted.serial or wanted.model) and (disk.content or written(disk.path)):
        content = ", ".join(disk.content) or "?"
        raise SaidError("install.has_data", disk=disk.title, content=content)
    return disk


def again(disks: Sequence[Disk], identity: dict[str, Any]) -> Disk:
    """The disk that was chosen. Raises SaidError where it is not there as it was."""
    for one in disks:
        if one.identity == identity:
            if said := refusal(one):
                raise SaidError(said.key, **said.values)
            return one
    raise SaidError("install.changed")
