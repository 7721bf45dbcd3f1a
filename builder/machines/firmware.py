"""The firmware of virtual machines, and the door that tests use to get in.

No image has a login. A test brings its own key pair, puts its certificate into the variables of the
one machine that it starts, and lays an add-on signed with it on that machine's copy of the
disk: the add-on asks for a root shell on a virtual console. No door signed by the release key ever
exists.
"""

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.disk import ESP, first
from builder.keys import KeyPair, make_pair
from builder.run import Argument
from builder.toolbox import Toolbox

CODE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
EMPTY_VARIABLES = Path("usr/share/OVMF/OVMF_VARS_4M.fd")
ADDON_STUB = "/usr/lib/systemd/boot/efi/addonx64.efi.stub"
SHELL_CONSOLE = "hvc0"
# At most eleven characters (FAT).
SEED_LABEL = "RATSSAAL"
SEED_BYTES = 64 * 2**20
# The owner named beside each certificate in the firmware's variables; any fixed number will do.
OWNER = str(uuid.UUID("5261-7473-7361-616c-2020-2020-2020-2020".replace("-", "")))


@dataclass(frozen=True)
class Door:
    """A test's own key pair and the add-on signed with it."""

    pair: KeyPair
    addon: Path


def make_door(toolbox: Toolbox, folder: Path, more: str = "") -> Door:
    """Make a door in `folder`, for machines that live no longer than it.

    `more` is put behind on the kernel's command line.
    """
    pair = make_pair(folder, "door", "Ratssaal test door, worthless elsewhere")
    addon = folder / "door.addon.efi"
    command: list[Argument] = ["ukify", "build", f"--stub={ADDON_STUB}", f"--output={addon}"]
    command += [f"--cmdline=systemd.debug_shell={SHELL_CONSOLE} {more}".rstrip()]
    command += [
        f"--secureboot-private-key={pair.key}",
        f"--secureboot-certificate={pair.certificate}",
    ]
    toolbox.run(command, writable=[folder])
    return Door(pair, addon)


def write_variables(toolbox: Toolbox, target: Path, owner: KeyPair | None, *more: KeyPair) -> None:
    """Write firmware variables: with `owner`'s keys and Secure Boot on, or in set-up mode without.

    Certificates in `more` are trusted beside the owner's.
    """
    if owner is None:
        shutil.copyfile(toolbox.tree / EMPTY_VARIABLES, target)
        return
    command: list[Argument] = ["virt-fw-vars", "--loglevel=error", "--secure-boot"]
    command += [f"--input=/{EMPTY_VARIABLES}", f"--output={target}"]
    command += ["--set-pk", OWNER, owner.certificate, "--add-kek", OWNER, owner.certificate]
    for pair in (owner, *more):
        command += ["--add-db", OWNER, pair.certificate]
    folders = [target.parent, *(pair.certificate.parent for pair in (owner, *more))]
    toolbox.run(command, writable=folders)


def copy_to_esp(toolbox: Toolbox, disk: Path, source: Path, target: str) -> None:
    """Copy the file `source` into the EFI system partition of the raw image `disk`."""
    place = f"{disk}@@{first(toolbox, disk, ESP).start}"
    inside = Path(target)
    for folder in reversed(inside.parents[:-1]):
        made = ["mmd", "-D", "s", "-i", place, f"::{folder}"]
        toolbox.run(["sh", "-c", '"$@" || true', "mmd", *made], writable=[disk.parent])
    copy: list[Argument] = ["mcopy", "-o", "-i", place, source, f"::{target}"]
    toolbox.run(copy, writable=[disk.parent, source.parent])


def make_seed(
    toolbox: Toolbox, image: Path, files: Mapping[str, bytes], size: int = SEED_BYTES
) -> None:
    """Write a vfat file system of `size` bytes, labelled SEED_LABEL, to `image`, with `files`."""
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(size)
    make: list[Argument] = ["mkfs.vfat", "-n", SEED_LABEL, image]
    toolbox.run(make, writable=[image.parent])
    for name, content in files.items():
        source = image.with_name(name)
        source.write_bytes(content)
        toolbox.run(["mcopy", "-i", image, source, f"::{name}"], writable=[image.parent])
