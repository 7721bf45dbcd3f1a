"""A stage: a private network and private mounts in which boxes, machines and their guests meet.

Both live in namespaces held by one process. When that process ends, however it ends, the kernel
takes network, mounts and loop devices away; only a folder may stay after a kill.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from builder.errors import CommandError, MissingError
from builder.machines.shell import wait_for
from builder.run import Argument, run
from builder.toolbox import Toolbox

# TEST-NET-2 of RFC 5737: never anybody's real address, and not private, so that browsers and TURN
# treat it as they would a town hall's public one.
PREFIX = "198.51.100"
GATEWAY = f"{PREFIX}.1"
# IN6_ADDR_GEN_MODE_NONE (ip-sysctl of the kernel): for links that are made from now on.
ADDRESSES = "/proc/sys/net/ipv6/conf/default/addr_gen_mode"
BRIDGE = "br0"
NSPAWN_RUN = Path("/run/systemd/nspawn")
PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000


def die_with_parent() -> None:
    """In a child between fork and exec: be killed when the parent ends (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def hardware_address(number: int) -> str:
    """The address of the virtual card of machine `number` (0 to 99), locally administered."""
    return f"52:54:00:52:53:{number:02x}"


def ip_address(number: int, prefix: str = PREFIX) -> str:
    """The address that the stage gives to the card of machine `number`."""
    return f"{prefix}.{100 + number}"


class Stage:
    """Context manager: the namespaces, a bridge with DHCP and DNS, a folder for passing files.

    `prefix`: the first three numbers of its network's addresses, where they have to be others.
    """

    def __init__(self, toolbox: Toolbox, prefix: str = PREFIX) -> None:
        self.toolbox = toolbox
        self.prefix = prefix
        self.gateway = f"{prefix}.1"
        self.folder = Path()
        self._holder: subprocess.Popen[bytes] | None = None
        self._children: list[subprocess.Popen[bytes]] = []
        self._count = 0

    def __enter__(self) -> "Stage":
        self.folder = Path(tempfile.mkdtemp(prefix="ratssaal-", dir="/var/tmp"))
        try:
            self._hold(["unshare", "--net", "--mount", "--"])
            # What a killed nspawn leaves behind must not stand in the way of the next one.
            NSPAWN_RUN.mkdir(parents=True, exist_ok=True)
            self.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", NSPAWN_RUN])
            self.ip(
                "link set lo up",
                f"link add {BRIDGE} type bridge forward_delay 0 mcast_snooping 0",
                f"addr add {self.gateway}/24 dev {BRIDGE}",
                f"link set {BRIDGE} up",
            )
            # Cables of boxes get no IPv6 address of their own. It would come a second later, and a
            # browser in here would break off what it loads.
            self.run(["sh", "-c", f"test ! -e {ADDRESSES} || echo 1 >{ADDRESSES}"])
            # Who looks up a name in here asks the stage, and nobody outside.
            resolver = self.folder / "resolv.conf"
            resolver.write_text(f"nameserver {self.gateway}\n")
            self.run(["mount", "--bind", resolver, "/etc/resolv.conf"])
            self._start_dhcp()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hold(self, within: Sequence[Argument]) -> None:
        """Have a process hold the namespaces that `within` makes before it starts a program."""
        self._holder = subprocess.Popen(
            [*within, "sh", "-c", "echo; exec sleep infinity"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        assert self._holder.stdout
        if not self._holder.stdout.readline():
            raise MissingError(
                "This machine does not allow network namespaces.",
                "Run on a machine or in a container with CAP_SYS_ADMIN.",
            )

    def close(self) -> None:
        """End all that was started here; safe to call twice."""
        for child in reversed(self._children):
            child.kill()
            child.wait()
        self._children.clear()
        if self._holder:
            self._holder.kill()
            self._holder.wait()
            self._holder = None
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start_dhcp(self) -> None:
        hosts = [
            f"--dhcp-host={hardware_address(n)},{ip_address(n, self.prefix)}" for n in range(100)
        ]
        command = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv"]
        command += ["--user=root", f"--interface={BRIDGE}", "--bind-interfaces", "--leasefile-ro"]
        command += [f"--dhcp-range={self.prefix}.100,{self.prefix}.250,255.255.255.0,12h"]
        # Without a file for its number: two stages that begin at once would fight for it.
        command += ["--dhcp-authoritative", "--no-ping", "--pid-file=", *hosts]
        # Names are those that `name` gives; all others do not exist, as nobody outside is asked.
        (self.folder / "names").mkdir()
        command += ["--no-hosts", f"--hostsdir={self.folder / 'names'}", "--address=/#/"]
        log = self.folder / "dhcp.log"
        inside = self.toolbox.command(command, own_processes=True, writable=[self.folder])
        with log.open("wb") as output:
            child = self.start(inside, stdout=output)

        def serves() -> bool:
            if child.poll() is not None:
                words = log.read_text(errors="replace")
                raise CommandError(f"The stage's DHCP server did not start:\n{words[-2000:]}")
            return self.listens(self.gateway, 53)

        wait_for(serves, 20, "The stage's DHCP server does not answer.")

    def name(self, name: str, address: str) -> None:
        """Let `name` lead to `address` from now on, for all on the bridge."""
        (self.folder / "names" / name).write_text(f"{address} {name}\n")

    def enter(self, command: Sequence[Argument]) -> list[str]:
        """`command`, to be run inside the stage."""
        assert self._holder
        words = ["nsenter", f"--target={self._holder.pid}", "--net", "--mount", "--"]
        return [*words, *[os.fspath(word) for word in command]]

    @contextmanager
    def joined(self) -> Iterator[None]:
        """The calling thread, and what it starts, is in the stage's network (setns(2))."""
        assert self._holder
        libc = ctypes.CDLL(None, use_errno=True)

        def join(place: IO[str]) -> None:
            if libc.setns(place.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "A network namespace cannot be joined.")

        with (
            Path("/proc/thread-self/ns/net").open() as own,
            Path(f"/proc/{self._holder.pid}/ns/net").open() as there,
        ):
            join(there)
            try:
                yield
            finally:
                join(own)

    def seen_from_outside(self, path: Path) -> Path:
        """`path` with the stage's mounts, as a program outside of it can open it."""
        assert self._holder
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def run(self, command: Sequence[Argument], **options: object) -> str:
        """Run `command` inside the stage to its end; as builder.run.run."""
        return run(self.enter(command), **options)  # type: ignore[arg-type]

    def listens(self, address: str, port: int) -> bool:
        """Whether somebody takes connections there (tcp), as seen from inside the stage."""
        with self.joined():
            try:
                socket.create_connection((address, port), timeout=2).close()
            except OSError:
                return False
        return True

    def start(
        self,
        command: Sequence[Argument],
        stdout: IO[bytes] | int = subprocess.DEVNULL,
        cgroup: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start `command` inside the stage, and in `cgroup`; it ends with the stage."""

        def prepare() -> None:
            die_with_parent()
            if cgroup:
                (cgroup / "cgroup.procs").write_text(str(os.getpid()))

        child = subprocess.Popen(
            self.enter(command),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare,
        )
        self._children.append(child)
        return child

    @contextmanager
    def serving(
        self,
        command: Sequence[Argument],
        address: str,
        port: int,
        silent: str,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start `command` inside the stage, which ends with the block.

        Yields once something listens at `address` and TCP port `port`; CommandError with `silent`
        where nothing does in time.
        """
        child = self.start(command, stdout=stdout)
        try:
            wait_for(lambda: self.listens(address, port), 20, silent)
            yield child
        finally:
            child.kill()
            child.wait()

    def ip(self, *lines: str) -> None:
        """Run ip(8) inside the stage with the words of each line."""
        for line in lines:
            self.run(["ip", *line.split()])

    def next_number(self) -> int:
        """A number for the next machine on the bridge."""
        self._count += 1
        return self._count - 1

    def tap(self, name: str) -> None:
        """Make the virtual cable `name` and plug it into the bridge."""
        self.run(["ip", "tuntap", "add", "dev", name, "mode", "tap"])
        self.run(["ip", "link", "set", name, "master", BRIDGE, "up"])

    def reach_from_host(self) -> None:
        """Lay a cable from this machine to the bridge, so that its own browser reaches the boxes.

        Raises MissingError where the addresses are in use here already.
        """
        assert self._holder
        if run(["ip", "route", "show", f"{self.prefix}.0/24"]).strip():
            raise MissingError(
                f"The network {self.prefix}.0/24 is in use on this machine already.",
                "Another demo may be running; end it, or go on without reaching the box from here.",
            )
        name = f"ratssaal{os.getpid() % 100000}"
        peer = ["type", "veth", "peer", "name", "host", "netns", str(self._holder.pid)]
        run(["ip", "link", "add", name, *peer])
        run(["ip", "address", "add", f"{self.prefix}.2/24", "dev", name])
        # With an IPv6 address of its own, which comes a moment later, whatever a browser loads just
        # then would end with "network changed".
        run(["ip", "link", "set", name, "addrgenmode", "none"])
        run(["ip", "link", "set", name, "up"])
        self.run(["ip", "link", "set", "host", "master", BRIDGE, "up"])
