"""Rules of nftables on a stage, for as long as a test wants them, and how often they were met."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from builder.machines.stage import Stage

TABLE = re.compile(r"^table (\w+) (\w+) {", re.MULTILINE)


@contextmanager
def rules(stage: Stage, text: str) -> Iterator[Callable[[], int]]:
    """Keep the one table in `text` in force for the block; how many packets its counters met."""
    found = TABLE.search(text)
    assert found, text
    table = found.groups()
    file = stage.folder / f"{table[1]}.nft"
    file.write_text(text)
    stage.run(stage.toolbox.command(["nft", "-f", file], writable=[stage.folder]))

    def met() -> int:
        told = stage.run(stage.toolbox.command(["nft", "--json", "list", "table", *table]))
        parts = [
            part
            for one in json.loads(told)["nftables"]
            for part in one.get("rule", {}).get("expr", [])
        ]
        return sum(part["counter"]["packets"] for part in parts if "counter" in part)

    try:
        yield met
    finally:
        stage.run(stage.toolbox.command(["nft", "delete", "table", *table]))
