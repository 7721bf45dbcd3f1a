"""A network that lets nothing out but by its HTTP proxy, as a town hall's often does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.machines.shell import wait_for
from builder.machines.stage import BRIDGE, GATEWAY, PREFIX, Stage
from builder.run import Argument
from tests.box.neighbours import tree

PORT = 8888
URL = f"http://{GATEWAY}:{PORT}"
# From the bridge: addresses, answers to what was asked from here, and the proxy. No name server.
RULES = f"""
table inet proxy_only {{
    chain input {{
        type filter hook input priority filter; policy accept;
        iifname != "{BRIDGE}" accept
        ct state established,related accept
        meta l4proto {{ icmp, icmpv6 }} accept
        udp dport 67 accept
        tcp dport {PORT} accept
        reject
    }}
}}
"""
SETTINGS = f"""
Port {PORT}
Listen {GATEWAY}
Allow {PREFIX}.0/24
ConnectPort 14000
LogLevel Info
"""


class Proxy:
    """The proxy at work: what it was asked for."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def asked(self) -> str:
        """Its log so far."""
        return self._log.read_text(errors="replace")


@contextmanager
def proxy_only(stage: Stage) -> Iterator[Proxy]:
    """Close the stage's bridge but for a proxy, which runs until the block ends."""
    rules = stage.folder / "proxy.nft"
    rules.write_text(RULES)
    stage.run(stage.toolbox.command(["nft", "-f", rules], writable=[stage.folder]))
    settings = stage.folder / "tinyproxy.conf"
    settings.write_text(SETTINGS)
    log = stage.folder / "tinyproxy.log"
    command: list[Argument] = ["tinyproxy", "-d", "-c", settings]
    inside = tree().command(command, writable=[stage.folder], own_processes=True)
    child = stage.start(inside, stdout=log.open("wb"))
    try:
        wait_for(lambda: "Accepting connections" in log.read_text(), 20, "No proxy started.")
        yield Proxy(log)
    finally:
        child.kill()
        child.wait()
        stage.run(stage.toolbox.command(["nft", "delete", "table", "inet", "proxy_only"]))
