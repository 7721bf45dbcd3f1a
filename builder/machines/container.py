"""A box in a container: the image's own /usr and /etc under systemd-nspawn, at native speed.

What this cannot show (firmware, kernel, disk) is shown by builder.machines.machine.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from builder.artifacts import Artifacts
from builder.errors import CommandError
from builder.machines.stage import BRIDGE, Stage
from builder.processes import children, descendant
from builder.run import replayable

START_SECONDS = 120.0
ETC_OPTIONS = "index=off,metacopy=off,redirect_dir=off"


class Box:
    """Context manager: one box on the stage's bridge, with an empty root of its own at first.

    `start` and `stop` may follow each other; what the box wrote stays until the block ends.
    `credentials` are handed to its systemd, by name, from files in the stage's folder.
    """

    def __init__(
        self,
        stage: Stage,
        artifacts: Artifacts,
        *,
        cable: bool = True,
        credentials: Mapping[str, Path] | None = None,
    ) -> None:
        self.stage = stage
        self.credentials = dict(credentials or {})
        self.artifacts = artifacts
        self.cable = cable
        self.name = f"box{stage.next_number()}"
        self.root = stage.folder / self.name
        self.seconds_to_ready = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._cgroup = cgroups() / f"{stage.folder.name}-{self.name}"

    def __enter__(self) -> "Box":
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _prepare(self) -> None:
        """What the initrd does on a machine: /usr mounted, the overlay over /etc, a machine id."""
        usr = self.stage.folder / "usr"
        if not usr.exists():
            usr.mkdir()
            self.stage.run(["mount", "-t", "erofs", "-o", "loop,ro", self.artifacts.usr, usr])
        for name in ("usr", "etc", "var", "proc", "sys", "dev", "run", "tmp"):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / name).symlink_to(f"usr/{name}")
        own = self.root.with_name(f"{self.name}.etc")
        (own / "upper").mkdir(parents=True)
        (own / "work").mkdir()
        (own / "upper").chmod(0o755)
        identity = Path("/proc/sys/kernel/random/uuid").read_text().replace("-", "")
        (own / "upper/machine-id").write_text(identity)
        self.stage.run(["mount", "--bind", usr, self.root / "usr"])
        layers = f"lowerdir={usr}/share/factory/etc,upperdir={own}/upper,workdir={own}/work"
        options = f"{layers},{ETC_OPTIONS}"
        self.stage.run(["mount", "-t", "overlay", "-o", options, "overlay", self.root / "etc"])

    def start(self) -> None:
        """Start the box and wait until its start is finished, well or not.

        Raises CommandError where it does not get that far within two minutes.
        """
        begun = time.monotonic()
        notices = self.stage.folder / f"{self.name}.notify"
        notices.unlink(missing_ok=True)
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
            listener.bind(os.fspath(notices))
            log = (self.stage.folder / f"{self.name}.log").open("ab")
            command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"]
            command += [f"--directory={self.root}", f"--machine={self.name}", "--console=pipe"]
            command += ["--notify-ready=yes", "--link-journal=no", "--settings=no"]
            command += [f"--network-bridge={BRIDGE}"] if self.cable else ["--private-network"]
            for name, file in self.credentials.items():
                command += [f"--load-credential={name}:{file}"]
            inside = self.stage.toolbox.command(
                command,
                environment={"NOTIFY_SOCKET": str(notices)},
                writable=[self.stage.folder],
                overlay={"/sys/fs/cgroup": cgroups()},
                own_processes=True,
            )
            self._cgroup.mkdir(exist_ok=True)
            self._process = self.stage.start(inside, stdout=log, cgroup=self._cgroup)
            self._wait_for_ready(listener, begun + START_SECONDS)
        self._leader = _leader_below(self._process.pid)
        self.seconds_to_ready = time.monotonic() - begun

    def _wait_for_ready(self, listener: socket.socket, deadline: float) -> None:
        while True:
            listener.settimeout(max(0.1, min(1.0, deadline - time.monotonic())))
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in listener.recv(65536).split(b"\n"):
                    return
            assert self._process
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = (self.stage.folder / f"{self.name}.log").read_text(errors="replace")
                raise CommandError(f"{self.name} did not start:\n{words[-2000:]}")

    @property
    def enter(self) -> list[str]:
        """What stands before a command that is to run as root in the box."""
        words = ["nsenter", f"--target={self._leader}", "--all", "--", "/usr/bin/env"]
        return [*words, "--ignore-environment", "PATH=/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8"]

    def run(
        self, *command: str, check: bool = True, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` as root in the box. With `check`, raises CommandError where it fails."""
        ended = subprocess.run(
            [*self.enter, *command], capture_output=True, text=True, input=stdin, check=False
        )
        if check and ended.returncode:
            raise CommandError(
                f"In {self.name} a program ended with {ended.returncode}:\n"
                f"  {replayable(command)}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"
            )
        return ended

    def shell(self, script: str) -> str:
        """Run `script` in a shell of the box and return its output."""
        return self.run("sh", "-euc", script).stdout

    @property
    def address(self) -> str:
        """The address under which the box tells guests to reach it."""
        return self.shell(". /run/ratssaal/address.env; echo $RATSSAAL_ADDRESS").strip()

    def processes(self, unit: str) -> list[int]:
        """The processes of a service of the box, as the host numbers them."""
        files = self._cgroup.rglob(f"{unit}.service/cgroup.procs")
        return [int(number) for file in files for number in file.read_text().split()]

    def stop(self) -> None:
        """Shut down in order and wait for it."""
        assert self._process
        nspawn = descendant(self._process.pid, "systemd-nspawn")
        os.kill(nspawn, signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"{self.name} did not shut down within a minute.") from error
        self._process = None
        _remove_cgroup(self._cgroup)

    def kill(self) -> None:
        """End the box at once, as a pulled plug would, save that written data stays."""
        if self._process:
            with contextlib.suppress(CommandError, ProcessLookupError):
                os.kill(descendant(self._process.pid, "systemd-nspawn"), signal.SIGKILL)
            self._process.kill()
            self._process.wait()
            self._process = None
        _remove_cgroup(self._cgroup)


def cgroups() -> Path:
    """Where the host has the second cgroup hierarchy, the only one that systemd 257 uses."""
    unified = Path("/sys/fs/cgroup/unified")
    return unified if unified.is_dir() else Path("/sys/fs/cgroup")


def _remove_cgroup(top: Path) -> None:
    """End whatever is left in a box's cgroup, and remove it."""
    if not top.exists():
        return
    with contextlib.suppress(OSError):
        (top / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + 10
    while top.exists() and time.monotonic() < deadline:
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        time.sleep(0.02)


def _leader_below(pid: int) -> int:
    """The box's own process 1, as the host numbers it."""
    for one in children(descendant(pid, "systemd-nspawn")):
        status = Path(f"/proc/{one}/status").read_text()
        numbers = [line.split() for line in status.splitlines() if line.startswith("NSpid:")]
        if numbers and numbers[0][-1] == "1":
            return one
    raise CommandError("The box has no process 1.")
