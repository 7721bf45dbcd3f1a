"""A box in a virtual machine: firmware, Secure Boot, verity, disk and all, in QEMU."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qemu.qmp import QMPClient, QMPError

from builder.artifacts import Artifacts
from builder.errors import CommandError, MissingError
from builder.keys import KeyPair
from builder.machines import firmware, flashed
from builder.machines.equipment import (
    DISK_BYTES,
    MachineOptions,
    Place,
    accelerator,
    drive_file,
    qemu_command,
)
from builder.machines.shell import START_SECONDS, Shell, wait_for
from builder.machines.stage import Stage, die_with_parent, hardware_address, ip_address
from builder.processes import descendant
from builder.run import Argument
from builder.stick.flash import SEED_BYTES

STARTING = "BdsDxe: starting"  # what the firmware says on the serial line at each start
READY = r"State +ready"


class Machine:
    """Context manager: one virtual machine with a throw-away copy of the image on its disk."""

    def __init__(
        self,
        stage: Stage,
        artifacts: Artifacts,
        owner: KeyPair,
        options: MachineOptions = MachineOptions(),
    ) -> None:
        self.stage = stage
        self.artifacts = artifacts
        self.owner = owner
        self.options = options
        self.number = stage.next_number()
        self.folder = stage.folder / f"machine{self.number}"
        self.serial_log = options.serial_log or self.folder / "serial.log"
        self.accelerator = accelerator(stage.toolbox)
        self._process: subprocess.Popen[bytes] | None = None
        self._tpm: subprocess.Popen[bytes] | None = None
        self._loop = asyncio.new_event_loop()
        self._qmp = QMPClient(f"machine{self.number}")
        self._shell: Shell | None = None
        self.stick_in = self.options.stick

    @property
    def base(self) -> Path:
        """The throw-away copy of the raw image, or a stick with it, below what records changes."""
        return self.folder / "base.raw"

    def __enter__(self) -> "Machine":
        try:
            if not self.base.exists():
                self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prepare(self) -> None:
        """Make disk and firmware variables; what a test wants to spoil it spoils after this."""
        toolbox, options = self.stage.toolbox, self.options
        self.folder.mkdir(exist_ok=True)
        seed = self.folder / "seed.img" if options.seed is not None else None
        if seed:
            firmware.make_seed(toolbox, seed, options.seed or {}, SEED_BYTES)
        if options.stick:
            flashed.write(self.base, DISK_BYTES, self.artifacts, seed)
        else:
            copy: list[Argument] = ["cp", "--sparse=always", self.artifacts.raw, self.base]
            toolbox.run(copy, writable=[self.folder, self.artifacts.folder])
        trusted = [options.door.pair] if options.door else []
        variables = self.folder / "variables.fd"
        owner = self.owner if options.enrolled else None
        firmware.write_variables(toolbox, variables, owner, *trusted)
        if options.door:
            addon = "/loader/addons/door.addon.efi"
            firmware.copy_to_esp(toolbox, self.base, options.door.addon, addon)
        for name, source, source_format in (
            ("disk", self.base, "raw"),
            ("variables", variables, "raw"),
        ):
            command: list[Argument] = ["qemu-img", "create", "-q", "-f", "qcow2"]
            command += ["-F", source_format]
            command += ["-b", source, self.folder / f"{name}.qcow2"]
            command += [str(DISK_BYTES)] if name == "disk" else []
            toolbox.run(command, writable=[self.folder])
        for number, drive in enumerate(options.drives):
            with self.drive(number).open("wb") as file:
                file.write(drive.content)
                file.truncate(drive.size)

    def drive(self, number: int) -> Path:
        """The raw file behind one of `options.drives`."""
        return drive_file(self.folder, number)

    def pull_stick(self) -> None:
        """Pull the stick out; it stays out at the next power-on."""
        self.stick_in = False
        if self.running:
            self.qmp("device_del", id="stick")

    def plug_stick_again(self) -> None:
        """Plug the stick in again that was pulled out of the running machine."""
        file = {"driver": "file", "filename": str(self.folder / "disk.qcow2")}
        block = {"driver": "qcow2", "node-name": "again", "file": file}
        self._once_free("blockdev-add", **block)
        device = {"driver": "usb-storage", "id": "stick", "drive": "again", "removable": True}
        self.qmp("device_add", **device)
        self.stick_in = True

    def _once_free(self, command: str, **arguments: object) -> None:
        """Ask QEMU for something that it refuses as long as the guest has a stick."""

        def done() -> bool:
            with contextlib.suppress(QMPError):
                self.qmp(command, **arguments)
                return True
            return False

        wait_for(done, 30, "The stick stayed in use.")

    def plug(
        self, image: Path, read_only: bool = False, below: dict[str, Any] | None = None
    ) -> None:
        """Plug a USB stick with the bytes of `image`, a file in `folder`, into the running machine.

        Only one at a time has a name of its own: that of its file, which is also its serial number.
        below: what QEMU reads the bytes through (blockdev-add), else the file itself.
        """
        name = image.stem
        file = below or {"driver": "file", "filename": str(image)}
        block = {"driver": "raw", "node-name": name, "read-only": read_only, "file": file}
        self.qmp("blockdev-add", **block)
        device = {"driver": "usb-storage", "id": name, "drive": name, "removable": True}
        self.qmp("device_add", **device, serial=name)

    def unplug(self, image: Path) -> None:
        """Pull it out again; `image` then holds what was written."""
        self.qmp("device_del", id=image.stem)
        self._once_free("blockdev-del", **{"node-name": image.stem})

    def start(self, snapshot: str | None = None) -> None:
        """Power on, or with `snapshot` go on where that was taken.

        The serial log begins anew with each power-on.
        """
        if snapshot is None:
            self.serial_log.unlink(missing_ok=True)
        if self.options.tpm:
            self._start_tpm()
        if not self.options.forward and snapshot is None and not self._has_tap():
            self.stage.tap(f"tap{self.number}")
        place = Place(
            self.folder, self.serial_log, f"tap{self.number}", hardware_address(self.number)
        )
        command = qemu_command(self.options, place, self.accelerator, self.stick_in)
        command += ["-loadvm", snapshot] if snapshot else []
        inside = self.stage.toolbox.command(
            command, writable=[self.folder, self.serial_log.parent], own_processes=True
        )
        log = (self.folder / "qemu.log").open("ab")
        if self.options.forward:
            # The forwarded ports belong to the engineer's own loopback, not to the stage's.
            self._process = subprocess.Popen(
                inside,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        else:
            self._process = self.stage.start(inside, stdout=log)
        self._connect()
        self._shell = Shell(self.folder / "shell", self._alive, running=snapshot is not None)

    def _has_tap(self) -> bool:
        links = self.stage.run(["ip", "-o", "link", "show"])
        return f" tap{self.number}:" in links

    def _start_tpm(self) -> None:
        state = self.folder / "tpm"
        state.mkdir(exist_ok=True)
        command: list[Argument] = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}"]
        command += ["--ctrl", f"type=unixio,path={state}/socket", "--terminate"]
        inside = self.stage.toolbox.command(command, writable=[self.folder], own_processes=True)
        self._tpm = self.stage.start(inside)
        wait_for(lambda: (state / "socket").exists(), 20, "The TPM's emulator did not start.")

    def _connect(self) -> None:
        def there() -> bool:
            if self._process and self._process.poll() is not None:
                words = (self.folder / "qemu.log").read_text(errors="replace")
                raise CommandError(f"QEMU did not start:\n{words[-2000:]}")
            return (self.folder / "qmp").exists()

        wait_for(there, 30, "QEMU did not start.")
        self._qmp = QMPClient(f"machine{self.number}")
        self._loop.run_until_complete(self._qmp.connect(str(self.folder / "qmp")))

    def qmp(self, command: str, **arguments: object) -> Any:
        """Ask QEMU itself (QMP) and return its answer."""
        return self._loop.run_until_complete(self._qmp.execute(command, arguments))

    def press(self, *keys: str) -> None:
        """Press keys of the machine's own keyboard, one after another, by QEMU's names for them."""
        for key in keys:
            self.qmp("send-key", keys=[{"type": "qcode", "data": key}])

    def monitor(self, line: str) -> str:
        """Say `line` to QEMU's monitor for people; raises CommandError where it complains."""
        answer = str(self.qmp("human-monitor-command", **{"command-line": line}))
        if answer.strip():
            raise CommandError(f"QEMU says to '{line}': {answer.strip()}")
        return answer

    def save(self, name: str) -> None:
        """Take a live snapshot; `start(snapshot=name)` goes on from it."""
        self.close_shell()
        self.monitor(f"savevm {name}")

    def screenshot(self, target: Path) -> Path:
        """Write what is on the screen to a PNG file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        inside = self.folder / "screen.png"
        self.qmp("screendump", filename=str(inside), format="png")
        shutil.move(inside, target)
        return target

    def serial(self) -> str:
        """All that came over the serial line so far."""
        try:
            return self.serial_log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_for_serial(self, pattern: str, seconds: float = START_SECONDS, after: int = 0) -> None:
        """Wait until the serial line has said `pattern`, a regular expression.

        What it said in its first `after` letters does not count.
        """
        what = f"The serial line never said {pattern!r}"
        wanted = re.compile(pattern)
        try:
            wait_for(lambda: self._alive() and wanted.search(self.serial(), after), seconds, what)
        except CommandError as error:
            raise CommandError(f"{error.message}:\n{self.serial()[-6000:]}") from error

    @property
    def running(self) -> bool:
        """Whether the machine is on."""
        return self._process is not None and self._process.poll() is None

    def _alive(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise CommandError(f"The machine went off:\n{self.serial()[-2000:]}")
        return True

    @property
    def address(self) -> str:
        """The address that the stage's DHCP gives to the box."""
        return ip_address(self.number)

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until the box says on its screen that it is ready.

        The rest of the screen may still be on its way over the serial line: whoever reads it there
        waits for it with `wait_for_serial`.
        """
        self.wait_for_serial(READY, seconds)

    @property
    def door(self) -> "Shell":
        """The shell for tests, once it answers."""
        if self._shell is None:
            self._shell = Shell(self.folder / "shell", self._alive, running=True)
        return self._shell

    def shell(self, script: str) -> str:
        """Run `script` as root on the box; its output, or CommandError where it fails."""
        return self.door.run(script)

    def wait_for_file(self, path: str, seconds: int = 60) -> None:
        """Wait until the box has a file or device of this name; CommandError where it gets none."""
        # The shell itself may be slow to answer.
        script = f"timeout {seconds} sh -c 'until test -e {path}; do sleep 0.2; done'"
        self.door.run(script, seconds + 240)

    def close_shell(self) -> None:
        """Let go of the shell's connection."""
        if self._shell:
            self._shell.close()
            self._shell = None

    def reboot(self) -> None:
        """Restart the box in order and wait until it is ready again."""
        self.restarts(lambda: self.shell("systemctl --no-block reboot"))

    def restarts(self, begin: Callable[[], object], starts: int = 1) -> None:
        """Do what makes the box start `starts` times, and wait until it is ready after the last."""
        before = self.serial().count(STARTING)
        begin()
        self.expect_start(before + starts - 1)
        self.wait_until_ready_again()

    def wait_until_ready_again(self) -> None:
        """Wait until the box is ready after the last of its starts."""
        self.wait_for_serial(READY, after=self.serial().rindex(STARTING))

    def wait_for_starts(self, count: int) -> None:
        """Wait until the firmware has started something `count` times since power-on."""
        again = "The box did not start again."
        wait_for(
            lambda: self._alive() and self.serial().count(STARTING) >= count, START_SECONDS, again
        )

    def expect_start(self, before: int) -> None:
        """Wait until the firmware has started something more than `before` times.

        For a box that restarts by itself: the shell for tests is another one then.
        """
        self.close_shell()
        self._shell = Shell(self.folder / "shell", self._alive, running=False)
        self.wait_for_starts(before + 1)

    def firmware_variable(self, name: str) -> bytes:
        """The firmware's variable `name`, read from outside while the machine is off.

        Ends the machine first. Raises CommandError where there is no such variable.
        """
        self.end()
        toolbox, plain = self.stage.toolbox, self.folder / "variables.read.fd"
        convert: list[Argument] = ["qemu-img", "convert", "-O", "raw"]
        toolbox.run([*convert, self.folder / "variables.qcow2", plain], writable=[self.folder])
        dumped = self.folder / "variables.json"
        command: list[Argument] = ["virt-fw-vars", "--loglevel=error", f"--input={plain}"]
        toolbox.run([*command, f"--output-json={dumped}"], writable=[self.folder])
        for variable in json.loads(dumped.read_text())["variables"]:
            if variable["name"] == name:
                return bytes.fromhex(variable["data"])
        raise CommandError(f"The firmware has no variable {name}.")

    def reset(self) -> None:
        """The reset button."""
        self.close_shell()
        self.qmp("system_reset")
        self._shell = Shell(self.folder / "shell", self._alive, running=False)

    def end(self) -> None:
        """Pull the plug, but let QEMU write what it still holds, the firmware's variables too."""
        assert self._process
        with contextlib.suppress(ConnectionError, EOFError, QMPError):
            self.qmp("quit")
        self._process.wait(60)
        self.power_off()

    def power_off(self) -> None:
        """Pull the plug. What QEMU still holds is lost, perhaps also what the firmware keeps."""
        self.close_shell()
        with contextlib.suppress(Exception):
            self._loop.run_until_complete(self._qmp.disconnect())
        if self._process:
            # QEMU itself first: only once it is gone are its files free.
            with contextlib.suppress(CommandError, ProcessLookupError):
                os.kill(descendant(self._process.pid, "qemu-system-x86_64"), signal.SIGKILL)
            self._process.wait(60)
        if self._tpm:
            with contextlib.suppress(CommandError, ProcessLookupError):
                os.kill(descendant(self._tpm.pid, "swtpm"), signal.SIGKILL)
            self._tpm.wait(60)
        self._process = self._tpm = None
        (self.folder / "qmp").unlink(missing_ok=True)
        (self.folder / "shell").unlink(missing_ok=True)

    def close(self) -> None:
        """Pull the plug and throw everything away but what belongs to the stage."""
        self.power_off()
        if not self._loop.is_closed():
            self._loop.close()


def require_port_free(port: int) -> None:
    """Raise MissingError where `port` of this machine's loopback is taken."""
    with contextlib.closing(socket.socket()) as probe:
        # As QEMU does: a port whose last connection is still remembered is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise MissingError(
                f"Port {port} of this machine is taken.", "Name another with --forward."
            ) from error
