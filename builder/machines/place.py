"""A place beside a stage: a network of its own, in which one person sits, or many."""

from pathlib import Path

from builder.machines.stage import Stage

CARD = "card0"


class Place(Stage):
    """Where one person sits: a network of its own beside a stage; the files are the stage's."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.toolbox, stage.prefix)
        self._stage = stage
        self._number = stage.next_number()

    def __enter__(self) -> "Place":
        self.folder = self._stage.folder
        try:
            self._hold(self._stage.enter(["unshare", "--net", "--mount", "--"]))
            self.run(["ip", "link", "set", "lo", "up"])
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End all that was started here; the files stay with the stage."""
        self.folder = Path()
        super().close()

    def next_number(self) -> int:
        """A number that nobody else on the stage has."""
        return self._stage.next_number()

    @property
    def cable(self) -> str:
        """The stage's end of the cable."""
        return f"cable{self._number}"

    def plug(self, bridge: str, address: str, gateway: str, names: str) -> None:
        """Lay a cable to a bridge of the stage, with `address` at this end of it.

        `gateway` leads to everybody else; `names` is the address of the name server.
        """
        assert self._holder
        cable = self.cable
        self._stage.ip(
            f"link add {cable} type veth peer name {CARD} netns {self._holder.pid}",
            f"link set {cable} master {bridge} up",
        )
        self.ip(
            # Without IPv6, whose addresses come a second later: browsers break off what they load.
            f"link set {CARD} addrgenmode none",
            f"address add {address}/24 dev {CARD}",
            f"link set {CARD} up",
            f"route add default via {gateway}",
        )
        resolver = self.folder / f"place{self._number}.resolv.conf"
        resolver.write_text(f"nameserver {names}\n")
        self.run(["mount", "--bind", resolver, "/etc/resolv.conf"])
