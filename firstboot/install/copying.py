"""Has systemd-repart copy the image to a disk, and with it what was brought or answered."""

import json
import os
import shutil
import uuid
from pathlib import Path

from firstboot import seed
from firstboot.install.state import Request
from firstboot.install.telling import WRITTEN, Telling
from firstboot.settings import Network
from firstboot.store import Draft, Store

DEFINITIONS = Path("/usr/lib/ratssaal/install")
# Outside of /var: what a stick brings is not written to the stick once more.
BROUGHT = Path("/run/ratssaal-install/brought")
IDENTITY = Path("/run/ratssaal-install/identity")
USR = Path("/dev/mapper/usr")
HASH_TREE_BYTES = 64 * 2**20


def root_hash() -> str:
    """The root hash of the running /usr, from the signed command line."""
    words = Path("/proc/cmdline").read_text().split()
    return next(one.removeprefix("usrhash=") for one in words if one.startswith("usrhash="))


def identify(target: Path = IDENTITY) -> None:
    """Give the copy the identity by which it is looked for: the first half of the root hash.

    As the Discoverable Partitions Specification says.
    """
    folder = target / "11-usr-a.conf.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "identity.conf").write_text(f"[Partition]\nUUID={uuid.UUID(root_hash()[:32])}\n")


def size_of(device: Path) -> int:
    """How many bytes a block device holds."""
    with device.open("rb") as file:
        return file.seek(0, os.SEEK_END)


def gather(store: Store, target: Path = BROUGHT) -> bool:
    """Put what was brought, and what was answered already, where repart takes it from.

    Where the box was set up on the stick, its settings become the draft of the one on the disk.
    The network that it has goes along, too: without it nobody would reach that one.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700)
    found = seed.read()
    draft, applied = Draft(store), store.applied()
    if draft.path.exists() or applied:
        found[seed.DRAFT] = json.dumps(draft.read()).encode()
    network = store.settings(applied.generation if applied else None).box.network
    if network != Network():
        found[seed.NETWORK] = network.model_dump_json().encode()
    for name, content in found.items():
        (target / name).write_bytes(content)
    return bool(found)


def copy(telling: Telling, request: Request) -> dict[str, str]:
    """Have repart copy; the device of each partition made, by the name of its definition."""
    disk = telling.disk
    command = ["systemd-repart", "--dry-run=no", "--json=short", "--no-pager"]
    # The identity of the boot partition is this disk's alone, by which the start is told apart.
    command += ["--seed=random", f"--definitions={DEFINITIONS}/repart.d"]
    identify()
    command += [f"--definitions={IDENTITY}"]
    if request.way == "repair":
        command += ["--empty=refuse", "--factory-reset=yes"]
    else:
        command += ["--empty=force"]
        if gather(Store()):
            command += [f"--definitions={DEFINITIONS}/brought"]
    # Open until the end: the system would take a boot partition away that nobody uses.
    boot = os.open("/boot/EFI", os.O_RDONLY)
    used = os.statvfs("/boot")
    boot_bytes = (used.f_blocks - used.f_bfree) * used.f_frsize
    total = boot_bytes + size_of(USR) + HASH_TREE_BYTES
    try:
        printed = telling.watch("copying", [*command, disk.path], WRITTEN, total)
    finally:
        os.close(boot)
        shutil.rmtree(BROUGHT, ignore_errors=True)
    return {Path(one["file"]).name: one["node"] for one in json.loads(printed) if one["file"]}
