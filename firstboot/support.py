"""Packs what support needs to know of this box, without what it must not know of people.

A .tar.gz for root alone, which the administrators' page hands out. Settings are taken by a list of
what is harmless; whatever else is in the bundle goes through firstboot.masking.
"""

import datetime
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from firstboot.access import code
from firstboot.errands import BUNDLE
from firstboot.files import write_whole_bytes
from firstboot.health import BASE_UNITS
from firstboot.image import image_version
from firstboot.masking import mask, shorten_addresses
from firstboot.screen.anew import HEALTH
from firstboot.stack import Stack
from firstboot.store import Store
from firstboot.texts import LANGUAGES, SaidError, say

COMMAND_SECONDS = 8.0
MOST_BYTES = 1_500_000  # of a file in the bundle, before it is packed
LINES = 4000  # of the journal
# No serial numbers: whose stick it was is nobody's business.
DISK_COLUMNS = "NAME,TYPE,SIZE,RO,TRAN,MODEL,FSTYPE,PARTLABEL,MOUNTPOINTS"
NAME = "ratssaal-support"


def said(*command: str, lines: int = 0) -> str:
    """What a program prints, or in its place why there is nothing; the last MOST_BYTES of it."""
    try:
        ended = subprocess.run(
            command, capture_output=True, check=False, timeout=COMMAND_SECONDS, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {type(error).__name__}\n"
    text = ended.stdout[-MOST_BYTES:].decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:]) + "\n" if lines else text


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}


def harmless(public: dict[str, Any]) -> dict[str, Any]:
    """Of the settings what is of no person: kinds, switches, numbers, and the box's own names."""
    box, cluster = public["box"], public["cluster"]
    network, certificate = box["network"], box["certificate"]
    administration, texts = cluster["administration"], cluster["texts"]
    return {
        "language": box["language"],
        "reach": box["reach"],
        "host_name": box["host_name"],
        "turn_name": box["turn_name"],
        "network": {
            "mode": network["mode"],
            "card": network["card"],
            "vlan": network["vlan"],
            "proxy": bool(network["proxy"]),
            "dns": len(network["dns"]),
            "time_servers": len(network["time_servers"]),
            "uplink": network["uplink"],
        },
        "certificate": {"kind": certificate["kind"], "dns": bool(certificate["dns"])},
        "recovery_key_for": bool(box.get("recovery_key_for")),
        "colour": cluster["house"]["colour"],
        "logo": bool(cluster["house"]["logo"]),
        "administrators": len(administration["people"]),
        "directory": bool(administration.get("openid")),
        "administration_networks": len(administration["networks"]),
        "meetings": cluster["meetings"]["preset"],
        "rules": {
            name: value
            for name, value in cluster["meetings"].items()
            if name != "preset" and value is not None
        },
        "texts": {name: bool(text) for name, text in texts.items()},
    }


def private_words(store: Store) -> set[str]:
    """What this box knows of people, and its secrets: none of it may be in the bundle."""
    found: set[str] = set()
    known = code.read()
    if known and known.shown:
        found |= {known.shown, known.shown.replace(" ", "")}
    for number in store.numbers():
        cluster = store.generation(number).public["cluster"]
        people = cluster["administration"]["people"]
        names = [one["name"] for one in people]
        found |= {one["mail"] for one in people} | {cluster["house"]["name"], *names}
        found |= {word for name in names for word in name.split()}
        found.add(store.generation(number).who)
        found.add(cluster["administration"]["alone_because"])
        found |= {line.strip() for text in cluster["texts"].values() for line in text.splitlines()}
        try:
            secrets = json.loads((store.secrets / f"settings/{number:06}.json").read_text())
        except (OSError, ValueError):
            continue
        found |= {line for secret in secrets.values() for line in str(secret).splitlines()}
    found |= {say(one, "setup.clerk") for one in LANGUAGES}
    return {one for one in found if len(one) > 2 and one != "Ratssaal"}


def history(store: Store) -> list[dict[str, Any]]:
    """The generations: when, what, and why one failed; not by whom."""
    return [
        {
            "number": one.number,
            "time": one.time,
            "what": one.what,
            "failed": one.failed.key if one.failed else None,
        }
        for one in store.history()
    ]


def _units() -> tuple[str, ...]:
    return ("ratssaal-*", *BASE_UNITS, *Stack.read().units, "systemd-timesyncd.service")


def collect(store: Store) -> dict[str, str]:
    """All files of the bundle by name, masked."""
    known = private_words(store)
    applied = store.applied()
    try:
        settings = harmless(store.public(applied.generation)) if applied else None
    except (SaidError, ValueError):
        settings = None  # of a box in such a state, too, support wants the rest
    units = [f"--unit={one}" for one in _units()]
    state = {
        "image": image_version(),
        "stack": Stack.read().name,
        "applied": vars(applied) if applied else None,
        "settings": settings,
        "history": history(store),
    }
    journal = said(
        "journalctl", "--boot", "--no-hostname", "--no-pager", "--output=short-iso",
        f"--lines={LINES}", *units,
    )  # fmt: skip
    network = said("ip", "address") + "\n" + said("ip", "route") + said("ip", "-6", "route")
    found = {
        "versions.txt": said("uname", "-srvm") + said("systemctl", "--version", lines=0),
        "units.txt": said("systemctl", "list-units", "--all", "--plain", "--no-pager", "--full"),
        "failed.txt": said("systemctl", "--failed", "--plain", "--no-pager", "--full"),
        "health.json": HEALTH.read_text() if HEALTH.exists() else "",
        "disk.txt": said("df", "--human-readable") + said("df", "--inodes", "/var"),
        "disks.txt": said("lsblk", "--output", DISK_COLUMNS),
        "kernel.txt": said(
            "journalctl",
            "--boot",
            "--dmesg",
            "--no-hostname",
            "--no-pager",
            "--output=short-iso",
            f"--lines={LINES}",
        ),
        "memory.txt": Path("/proc/meminfo").read_text() + Path("/proc/loadavg").read_text(),
        "journal.txt": journal,
    }
    masked = {name: mask(text, known) for name, text in found.items()}
    # The box's own: what is private says how the house is wired, and of nobody where he lives.
    masked["network.txt"] = shorten_addresses(network)
    masked["settings.json"] = json.dumps(state, indent=1) + "\n"
    masked["README.txt"] = "\n".join(say(one, "admin.support_readme") for one in LANGUAGES)
    return masked


def packed(files: Iterable[tuple[str, str]], now: datetime.datetime) -> bytes:
    """The files as .tar.gz, in a folder of their own."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz") as archive:
        for name, text in files:
            content = text.encode()[-MOST_BYTES:]
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), int(now.timestamp()), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return into.getvalue()


def main() -> int:
    """Pack, and leave the bundle where the agent takes it."""
    files = sorted(collect(Store()).items())
    write_whole_bytes(BUNDLE, packed(files, datetime.datetime.now(datetime.UTC)), mode=0o600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
