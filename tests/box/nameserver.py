"""A town's own name server on a stage: Knot, from a Debian tree of its own."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder.machines.stage import PREFIX, Stage
from builder.run import Argument
from tests.box.neighbours import tree

CONFIGURATION = Path(__file__).with_name("knot.conf")
ADDRESS = f"{PREFIX}.53"
CARD = "dns0"
KEY = "box.key"


@dataclass(frozen=True)
class NameServer:
    """A running name server for `zone`, and the secret (base64) of the key that may change it."""

    zone: str
    secret: str
    address: str = ADDRESS
    key: str = KEY


@contextmanager
def name_server(stage: Stage, zone: str) -> Iterator[NameServer]:
    """Run a name server for `zone` on the stage until the block ends."""
    made = NameServer(zone, base64.b64encode(secrets.token_bytes(64)).decode())
    folder = stage.folder / "knot"
    folder.mkdir()
    text = CONFIGURATION.read_text()
    filled = {
        "@FOLDER@": str(folder),
        "@ADDRESS@": ADDRESS,
        "@KEY@": made.key,
        "@SECRET@": made.secret,
        "@ZONE@": zone,
    }
    for place, value in filled.items():
        text = text.replace(place, value)
    (folder / "knot.conf").write_text(text)
    soa = f"ns.{zone}. it.{zone}. 1 3600 600 86400 60"
    records = f"$ORIGIN {zone}.\n$TTL 60\n@ SOA {soa}\n@ NS ns\nns A {ADDRESS}\n"
    (folder / "zone").write_text(records)
    # Not on the bridge: the stage's own name server takes every address there.
    stage.ip(
        f"link add {CARD} type bridge",
        f"address add {ADDRESS}/32 dev {CARD}",
        f"link set {CARD} up",
    )
    command: list[Argument] = ["knotd", "--config", folder / "knot.conf"]
    inside = tree().command(command, writable=[stage.folder], own_processes=True)
    log = (stage.folder / "knot.log").open("ab")
    with stage.serving(inside, ADDRESS, 53, "The name server does not answer.", log):
        yield made
