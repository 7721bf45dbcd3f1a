"""Looks, since somebody at the box asks, what is not well, and says it on the screen.

The words are for a clerk, who reads them out on the telephone; units' names are in the journal.
"""

import json
import subprocess
from pathlib import Path

from firstboot import health
from firstboot.screen.anew import ADDRESSES, CERTIFICATE, tell
from firstboot.stack import Stack

# Which text names a part of the box; all else belongs to the conferencing stack.
PARTS = {
    "nftables.service": "part_firewall",
    "nginx.service": "part_pages",
    "etcd.service": "part_store",
    health.STORE: "part_store",
    "systemd-networkd.service": "part_network",
}


def found(wrong: dict[str, str], connected: bool, ending: bool = False) -> list[str]:
    """Keys of the texts in `console`, from what firstboot.health finds wrong.

    connected: whether any card has an address; ending: whether the certificate ends soon.
    """
    parts = list(dict.fromkeys(PARTS.get(name, "part_conference") for name in wrong))
    if parts:
        return ["test_found", *parts, "test_then"]
    if not connected:
        return ["test_no_network"]
    return ["test_certificate" if ending else "test_good"]


def main(addresses: Path = ADDRESSES) -> None:
    """Have the box's state written anew, then say in words what it comes from."""
    subprocess.run(["systemctl", "start", "ratssaal-health-again.service"], check=False)
    known = json.loads(addresses.read_text()) if addresses.exists() else {}
    said = found(health.wrong(Stack.read()), bool(known.get("all")), CERTIFICATE.exists())
    tell(*said)


if __name__ == "__main__":
    main()
