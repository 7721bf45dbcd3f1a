"""Installs the image that the box runs on the disk that was asked for: `ratssaal-install.service`.

systemd-repart copies; the root hash of the running /usr, which Secure Boot vouches for, says
whether the copy is good. The partition table is written last, so that whatever interrupts this
leaves the disk as one from which nothing new starts. With `--ended` it says so where it was ended.
"""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from firstboot import seed
from firstboot.install import choice, disks
from firstboot.install.disks import Disk
from firstboot.install.state import Request, Stage, State, Way, broken_off, take
from firstboot.screen.anew import redraw
from firstboot.settings import Network
from firstboot.store import Draft, Store
from firstboot.texts import Said, SaidError

DEFINITIONS = Path("/usr/lib/ratssaal/install")
# Outside of /var: what a stick brings is not written to the stick once more.
BROUGHT = Path("/run/ratssaal-install/brought")
IDENTITY = Path("/run/ratssaal-install/identity")
USR = Path("/dev/mapper/usr")
BOOT = Path("/boot")
# Of this stick alone (ExcludeFiles= in 00-esp.conf).
NOT_COPIED = {"loader/random-seed", "ratssaal-reset", "ratssaal-recovery-key.bin"}
# How often a version on trial was started, and will be: part of its file's name (systemd-boot(7)).
COUNTED = re.compile(r"\+\d+(-\d+)?(?=\.efi$)")
HASH_TREE_BYTES = 64 * 2**20
LABEL = "Ratssaal"
LOADER = r"\EFI\systemd\systemd-bootx64.efi"
# What is said where it fails once something was written.
BROKEN: dict[Way, str] = {"anew": "broken", "repair": "broken_repair"}
# What a BIOS runs, before the table of partitions in the master boot record.
BIOS_BYTES = 440
TICK_SECONDS = 0.5
STICK_SECONDS = 0.2
DEVICE_SECONDS = 60.0
# Places in /sys/class/block/DISK/stat (Documentation/block/stat.rst), in sectors of 512 bytes.
READ, WRITTEN, SECTOR = 2, 6, 512


class Telling:
    """Says how far it is: the file at each percent, the screen, which costs more, at each tenth."""

    def __init__(self, disk: Disk, request: Request) -> None:
        self.disk = disk
        self.request = request
        self._shown: tuple[str, int] = ("", -1)

    def say(self, stage: Stage, percent: int = 0, said: Said | None = None) -> None:
        """The stage has come to `percent`."""
        State(stage, percent, self.disk.title, self.request.then, said).write()
        if (stage, percent // 10) != self._shown:
            self._shown = (stage, percent // 10)
            redraw()

    def watch(self, stage: Stage, command: list[str], counter: int, total: int) -> str:
        """Run `command`, whose way through `total` bytes the disk counts; what it prints.

        Raises CalledProcessError where it fails.
        """
        before = moved(self.disk.path, counter)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            while True:
                done = moved(self.disk.path, counter) - before
                self.say(stage, min(99, done * 100 // max(1, total)))
                try:
                    printed, _ = running.communicate(timeout=TICK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    continue
        if running.returncode:
            raise subprocess.CalledProcessError(running.returncode, command[0])
        return printed


def unwritten(path: str, before: int) -> bool:
    """Whether nothing was written to a disk since it had taken `before` bytes."""
    os.sync()
    try:
        return moved(path, WRITTEN) == before
    except OSError:
        return False


def moved(path: str, counter: int) -> int:
    """How many bytes a disk has read or written since the start."""
    stat = Path("/sys/class/block") / Path(path).name / "stat"
    return int(stat.read_text().split()[counter]) * SECTOR


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


@contextmanager
def held(devices: Iterable[str]) -> Iterator[None]:
    """Keep them open, so that nobody takes them away meanwhile. Raises OSError.

    udev reads a partition table anew once it was written, and for a moment there are none.
    """
    deadline = time.monotonic() + DEVICE_SECONDS
    with ExitStack() as opened:
        for one in devices:
            while True:
                try:
                    opened.enter_context(Path(one).open("rb"))
                    break
                except FileNotFoundError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(TICK_SECONDS)
        yield


def check(telling: Telling, made: dict[str, str], way: Way) -> None:
    """Read the copy from the disk itself and compare it with root hash and boot partition.

    Where that fails nothing starts from it. Raises SaidError, OSError, CalledProcessError.
    """
    data, tree = made["11-usr-a.conf"], made["10-usr-verity-a.conf"]
    try:
        with held((data, tree)):
            for one in (data, tree):
                subprocess.run(["blockdev", "--flushbufs", one], check=True)
            command = ["veritysetup", "verify", data, tree, root_hash()]
            telling.watch("checking", command, READ, _blocks(tree))
            with mounted(made["00-esp.conf"]) as copied:
                if not same_files(copied):
                    raise SaidError("install.differs")
    except (OSError, subprocess.CalledProcessError, SaidError) as error:
        spoil(telling.disk.path, made, way)
        verity = isinstance(error, subprocess.CalledProcessError) and error.cmd == "veritysetup"
        if verity or isinstance(error, SaidError):
            key = "install.differs" if way == "anew" else "install.differs_repair"
            raise SaidError(key, disk=telling.disk.title) from error
        raise


@contextmanager
def mounted(esp: str) -> Iterator[Path]:
    """The boot partition on the disk, read from the disk itself. Raises CalledProcessError."""
    subprocess.run(["blockdev", "--flushbufs", esp], check=True)
    with tempfile.TemporaryDirectory() as place:
        options = "ro,nosuid,nodev,noexec,nosymfollow"
        subprocess.run(["mount", "-t", "vfat", "-o", options, esp, place], check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", place], check=True)


def _files(folder: Path) -> dict[str, Path]:
    """All files below `folder`, by their names without the attempts that are counted there."""
    found = (one for one in folder.rglob("*") if one.is_file())
    return {COUNTED.sub("", str(one.relative_to(folder))): one for one in found}


def same_files(copied: Path, boot: Path = BOOT) -> bool:
    """Whether all of the boot partition that is copied is there, byte for byte."""
    there, here = _files(copied), _files(boot)
    wanted = here.keys() - NOT_COPIED
    # Found once more before it is read: a good start gives the kernel image another name.
    return wanted <= there.keys() and all(
        filecmp.cmp(_files(boot)[name], there[name], shallow=False) for name in sorted(wanted)
    )


def spoil(disk: str, made: dict[str, str], way: Way) -> None:
    """Let nothing start from it. What is repaired keeps its partition table, and with it root."""
    places = list(made.values()) if way == "repair" else [disk]
    subprocess.run(["wipefs", "--all", "--force", "--quiet", *places], check=False)


def _blocks(tree: str) -> int:
    """How many bytes a hash tree stands for (cryptsetup's on-disk format of dm-verity)."""
    with Path(tree).open("rb") as file:
        head = file.read(512)
    return int.from_bytes(head[64:68], "little") * int.from_bytes(head[72:80], "little")


def start_from(made: dict[str, str], disk: Disk) -> Said | None:
    """Have the firmware start the disk first; what is to be said where it does not take that.

    It finds the disk all the same, by its \\EFI\\BOOT.
    """
    number = made["00-esp.conf"].removeprefix(disk.path).lstrip("p")
    create = ["--create", "--disk", disk.path, "--part", number, "--loader", LOADER]
    try:
        known = subprocess.run(["efibootmgr"], check=True, capture_output=True, text=True).stdout
        for line in known.splitlines():
            # Of an installation before this one.
            if line.startswith("Boot0") and LABEL in line.partition("\t")[0].split():
                subprocess.run(
                    ["efibootmgr", "--quiet", "--delete-bootnum", "--bootnum", line[4:8]],
                    check=True,
                )
        subprocess.run(["efibootmgr", "--quiet", *create, "--label", LABEL], check=True)
    except (OSError, subprocess.CalledProcessError):
        return Said("install.no_entry")
    return None


def keep_bios_sentence(source: str, target: str) -> None:
    """A BIOS that starts the disk shows what one shows that starts the stick."""
    with Path(source).open("rb") as stick:
        program = stick.read(BIOS_BYTES)
    with Path(target).open("r+b") as disk:
        disk.write(program)
        os.fsync(disk.fileno())


def install(request: Request, known: list[Disk], telling: Telling) -> Said | None:
    """All of it; what is to be known besides. Raises SaidError, OSError, CalledProcessError."""
    telling.say("copying")
    made = copy(telling, request)
    check(telling, made, request.way)
    stick = next(one for one in known if one.started)
    keep_bios_sentence(stick.path, telling.disk.path)
    os.sync()
    return start_from(made, telling.disk)


def wait_for_stick(stick: Path, restart: Callable[[], Any]) -> None:
    """Restart once the stick is gone. Nothing more is read from it: all is in memory by then."""
    while stick.exists():
        time.sleep(STICK_SECONDS)
    restart()


def ended() -> int:
    """The unit is over. Where it was killed meanwhile, nobody else says that it has failed."""
    if broken_off():
        redraw()
    return 0


def main() -> int:
    """Do what was asked for, and say what came of it."""
    request = take()
    telling = Telling(Disk(str(request.disk.get("path", "")), 0), request)
    before = -1
    try:
        known = disks.found()
        if no := choice.source(known):
            raise SaidError(no.key, **no.values)
        telling.disk = choice.again(known, request.disk)
        before = moved(telling.disk.path, WRITTEN)
        said = install(request, known, telling)
    except SaidError as error:
        telling.say("failed", said=error.said)
        print(error.said.text("en"), file=sys.stderr)  # noqa: T201
        return 1
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        untouched = before < 0 or unwritten(telling.disk.path, before)
        key = "unwritten" if untouched else BROKEN[request.way]
        telling.say("failed", said=Said(f"install.{key}", {"disk": telling.disk.title}))
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    # Kept open: without the stick nothing can be opened any more. The kernel restarts at once,
    # which harms nothing, since only the stick's own file systems were written to after sync.
    with Path("/proc/sysrq-trigger").open("wb", buffering=0) as trigger:
        telling.say("done", 100, said)
        if request.then == "restart":
            # The screen says so first: a start waits for the drawing that was just asked for.
            subprocess.run(["systemctl", "start", "ratssaal-console.service"], check=False)
            subprocess.run(["systemctl", "--no-block", "reboot"], check=True)
            return 0
        stick = next(one for one in known if one.started)
        wait_for_stick(
            Path("/sys/class/block") / Path(stick.path).name, lambda: trigger.write(b"b")
        )
    return 0


if __name__ == "__main__":
    sys.exit(ended() if sys.argv[1:] == ["--ended"] else main())
