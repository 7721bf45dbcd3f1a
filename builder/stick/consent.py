"""Asks a person which stick is meant, and whether it may be overwritten."""

from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from builder.errors import DeviceError, UsageError
from builder.progress import console
from builder.stick import sticks
from builder.stick.sticks import Disk

# Shows a question and gives the answer; None where nobody is there to be asked.
Ask = Callable[[str], str] | None
UNATTENDED = "For scripts: --yes --serial S, with the serial number of the stick."


def show(candidates: list[Disk], needed: int) -> None:
    """Print the sticks for people, with what is on them and what speaks against them."""
    table = Table("", "device", "model", "serial", "size", "on it", "not now")
    for number, one in enumerate(candidates, 1):
        against = sticks.refusal(one, needed)
        cells = (
            str(number),
            str(one.path),
            f"{one.vendor} {one.model}".strip(),
            one.serial,
            sticks.size_of(one.size),
            ", ".join(one.content) or "nothing known",
            against.message if against else "",
        )
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)


def choose(known: list[Disk], needed: int, serial: str | None, ask: Ask) -> Disk:
    """The stick that a person means, or the one with this serial number.

    Raises DeviceError where there is none, UsageError where nobody can be asked or the answer
    names none.
    """
    candidates = [one for one in known if one.candidate]
    if not candidates:
        raise DeviceError(
            "No USB stick and no memory card is plugged in.",
            "Plug one in; a card reader without a card does not count.",
        )
    if serial is not None:
        found = [one for one in candidates if one.serial == serial]
        if len(found) != 1:
            raise UsageError(
                f"{len(found) or 'No'} sticks have the serial number {serial!r}.",
                "Name the device as well; ./ratssaal flash IMAGE, without one, lists them.",
            )
        return found[0]
    show(candidates, needed)
    if ask is None:
        raise UsageError("Nobody can be asked which stick is meant.", UNATTENDED)
    answer = ask("Which one? Its number, or Ctrl-C").strip()
    if not answer.isascii() or not answer.isdigit() or not 0 < int(answer) <= len(candidates):
        raise UsageError(f"There is no number {answer!r} in the list; nothing was written.")
    return candidates[int(answer) - 1]


def confirm(disk: Disk, *, yes: bool, serial: str | None, ask: Ask) -> None:
    """Return only where a person has typed the stick's name, or has named its serial number.

    Raises UsageError where the serial number is another one's, where `yes` comes without one, or
    where nobody can be asked; DeviceError where another name was typed.
    """
    if serial is not None and disk.serial != serial:
        raise UsageError(
            f"{disk.title} has the serial number {disk.serial or 'none'!r}, not {serial!r}; "
            "nothing was written.",
            sticks.WHICH,
        )
    if yes and serial:
        return
    if yes or ask is None:
        why = "--yes alone does not say which stick" if yes else "Nobody can be asked"
        raise UsageError(f"{why}; nothing was written.", UNATTENDED)
    lost = f" On it: {', '.join(disk.content)}." if disk.content else ""
    answer = ask(
        f"Everything on {disk.title} will be lost.{lost}\n"
        f"To go on, type the name of the model, {disk.name}"
    )
    if " ".join(answer.split()).casefold() != disk.name.casefold():
        raise DeviceError(
            "That is not the name of the model; nothing was written.",
            f"Start again, and type: {disk.name}",
        )


def same(disk: Disk, number: str, size: int) -> None:
    """Raise DeviceError where what was opened, `number` and `size`, is not what was agreed to."""
    now = sticks.find(disk.path, sticks.disks())
    if (now.number, now.size, now.serial) != (number, disk.size, disk.serial) or size != disk.size:
        raise DeviceError(
            f"{disk.path} is another stick than the one that was asked about; nothing was written.",
            "Start again.",
        )
