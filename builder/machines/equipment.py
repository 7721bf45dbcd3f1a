"""How a virtual machine is equipped, and QEMU's command line for it.

Hardware virtualisation is used only after a guest has really run on it; otherwise the processor is
emulated, and the person is told.
"""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from builder.machines.firmware import CODE, Door
from builder.run import Argument
from builder.toolbox import Toolbox

DISK_BYTES = 16 * 2**30
MEMORY_MIB = 2048


@cache
def accelerator(toolbox: Toolbox) -> str:
    """`kvm` where a guest has just run on it, else `tcg`."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    # The firmware writes to its debug port as soon as it runs: only a guest that ran writes there.
    with contextlib.ExitStack() as stack:
        scratch = tempfile.TemporaryDirectory(prefix="ratssaal-", dir="/var/tmp")
        folder = Path(stack.enter_context(scratch))
        command = ["qemu-system-x86_64", "-machine", "q35,accel=kvm", "-cpu", "host", "-m", "128"]
        command += ["-display", "none", "-nodefaults", "-debugcon", f"file:{folder}/said"]
        command += ["-chardev", "null,id=n", "-device", "isa-debug-exit"]
        inside = toolbox.command(command, writable=[folder])
        child = subprocess.Popen(inside, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and child.poll() is None:
                with contextlib.suppress(OSError):
                    if (folder / "said").stat().st_size:
                        return "kvm"
                time.sleep(0.05)
        finally:
            child.kill()
            child.wait()
    return "tcg"


@dataclass(frozen=True)
class Drive:
    """A disk of the machine beside the one with the image; size in bytes, sparse.

    kind: how it is attached; `card` is a card (SD) in the kind of controller that memory on the
    board (eMMC) has, which itself QEMU does not offer for a PC. content: its first bytes, such as
    those of another system.
    """

    kind: Literal["nvme", "sata", "card"]
    size: int = DISK_BYTES
    serial: str = "R-1"
    content: bytes = b""


@dataclass(frozen=True)
class MachineOptions:
    """How a machine is equipped.

    door: a shell for tests, see builder.machines.firmware. enrolled: the keys are in the firmware
    already, else it starts in set-up mode. tpm: a TPM 2. forward: ports of this machine's loopback
    and the box's, instead of a cable to the stage's bridge. seed: files by name on a partition
    labelled RATSSAAL, of the stick with the image or of one that has nothing else. stick: the image
    is on a USB stick, written as `flash` does it, which can be pulled out, and the firmware itself
    decides from what it starts. drives: disks without the image.
    """

    door: Door | None = None
    enrolled: bool = True
    tpm: bool = False
    memory: int = MEMORY_MIB
    forward: tuple[tuple[int, int], ...] = ()
    serial_log: Path | None = None
    seed: Mapping[str, bytes] | None = None
    stick: bool = False
    drives: tuple[Drive, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a machine is: the folder with its files, its serial line's log, its network card.

    tap: the cable to the stage's bridge, where no ports are forwarded. hardware: the card's MAC.
    """

    folder: Path
    serial_log: Path
    tap: str
    hardware: str


def drive_file(folder: Path, number: int) -> Path:
    """The raw file behind one of `MachineOptions.drives`."""
    return folder / f"drive{number}.raw"


def qemu_command(
    options: MachineOptions, place: Place, accelerator: str, stick_in: bool
) -> list[Argument]:
    """QEMU's command line, for the toolbox. stick_in: a stick with the image is plugged in."""
    folder = place.folder
    cpu = "host" if accelerator == "kvm" else "max"
    words: list[Argument] = ["qemu-system-x86_64", "-nodefaults", "-no-user-config"]
    words += ["-machine", f"q35,smm=on,accel={accelerator}", "-cpu", cpu, "-smp", "2"]
    words += ["-m", str(options.memory)]
    words += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
    words += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={CODE}"]
    words += ["-drive", f"if=pflash,unit=1,format=qcow2,file={folder}/variables.qcow2"]
    words += ["-device", "qemu-xhci", *_disks(options, folder, stick_in)]
    words += ["-device", "VGA", "-device", "virtio-rng-pci"]
    words += ["-device", "usb-kbd", "-serial", "chardev:serial"]
    words += ["-chardev", f"file,id=serial,append=on,path={place.serial_log}"]
    words += ["-qmp", f"unix:{folder}/qmp,server=on,wait=off"]
    words += ["-device", "virtio-serial-pci"]
    words += ["-chardev", f"socket,id=shell,path={folder}/shell,server=on,wait=off"]
    words += ["-device", "virtconsole,chardev=shell"]
    if options.forward:
        rules = "".join(f",hostfwd=tcp:127.0.0.1:{a}-:{b}" for a, b in options.forward)
        words += ["-netdev", f"user,id=net{rules}"]
    else:
        words += ["-netdev", f"tap,id=net,ifname={place.tap},script=no,downscript=no"]
    words += ["-device", f"virtio-net-pci,netdev=net,mac={place.hardware}"]
    if options.tpm:
        words += ["-chardev", f"socket,id=tpm,path={folder}/tpm/socket"]
        words += ["-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm"]
    return [*words, "-display", "none"]


def _disks(options: MachineOptions, folder: Path, stick_in: bool) -> list[Argument]:
    words: list[Argument] = []
    disk = f"if=none,id=disk,format=qcow2,cache=writeback,file={folder}/disk.qcow2"
    if not options.stick:
        words += ["-drive", disk, "-device", "virtio-blk-pci,drive=disk,bootindex=1"]
    elif stick_in:
        words += ["-drive", disk, "-device", "usb-storage,drive=disk,id=stick,removable=on"]
    for number, drive in enumerate(options.drives):
        name = f"drive{number}"
        # Zeros written to it stay holes in its file.
        file = f"if=none,id={name},format=raw,discard=unmap,detect-zeroes=unmap"
        device = {
            "nvme": f"nvme,drive={name},serial={drive.serial}",
            "sata": f"ide-hd,bus=ide.{number},drive={name},serial={drive.serial}",
            "card": f"sd-card,bus=sd-bus,drive={name}",
        }[drive.kind]
        if drive.kind == "card":
            words += ["-device", f"sdhci-pci,id=mmc{number}"]
        words += ["-drive", f"{file},file={drive_file(folder, number)}", "-device", device]
    if options.seed is not None and not options.stick:
        seed = f"if=none,id=seed,format=raw,readonly=on,file={folder}/seed.img"
        words += ["-drive", seed, "-device", "usb-storage,drive=seed"]
    return words
