"""The network that somebody has typed at the box itself, before it is set up.

What is asked for is tried first, by firstboot.converge. What has proven good is the network of the
settings before set-up, with which the wizard begins.
"""

import json
from pathlib import Path
from typing import Any

from firstboot.files import write_whole
from firstboot.settings import Network


class ByHand:
    """Files of the settings' folder: what is in force, what is wanted, why that was no good."""

    def __init__(self, folder: Path) -> None:
        self._good = folder / "network.json"
        self._wanted = folder / "network-wanted.json"
        self._refused = folder / "network-refused.txt"

    def network(self) -> Network | None:
        """The one in force; None where nobody has typed one."""
        return _read(self._good)

    def wanted(self) -> Network | None:
        """The one that has not been tried yet."""
        return _read(self._wanted)

    def refused(self) -> str:
        """The key of the text that says why the latest one was no good; empty where it was."""
        return self._refused.read_text() if self._refused.exists() else ""

    def ask(self, network: Network) -> None:
        """Have this one tried."""
        self._wanted.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._refused.unlink(missing_ok=True)
        content: dict[str, Any] = network.model_dump(mode="json")
        write_whole(self._wanted, json.dumps(content, indent=1) + "\n")

    def accept(self) -> None:
        """The one that was asked for is good."""
        self._wanted.replace(self._good)

    def refuse(self, key: str) -> None:
        """The one that was asked for is no good: `key` of a text says why."""
        write_whole(self._refused, key)
        self._wanted.unlink(missing_ok=True)


def _read(file: Path) -> Network | None:
    """A network as it was written; None where there is none."""
    try:
        return Network.model_validate_json(file.read_text())
    except (OSError, ValueError):
        return None
