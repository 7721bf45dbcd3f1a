"""What is being done to the box right now, for whoever watches: a file, whole at any moment.

It holds keys of texts and no values of settings, so that the wizard's page may show it as it is.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from firstboot.files import write_whole
from firstboot.texts import Said

FILE = Path("/run/ratssaal/progress.json")
State = Literal["waiting", "running", "done", "failed", "noted"]


@dataclass
class Progress:
    """The stages of one undertaking, in order, and how each stands."""

    generation: int
    stages: tuple[str, ...]
    file: Path = FILE
    states: dict[str, State] = field(default_factory=dict)
    notes: list[Said] = field(default_factory=list)
    finished: bool = False
    ok: bool | None = None

    def set(self, stage: str, state: State) -> None:
        """Stage `stage` has come to `state`."""
        self.states[stage] = state
        self.write()

    def note(self, said: Said) -> None:
        """Something that people should know of."""
        self.notes.append(said)
        self.write()

    def finish(self, ok: bool) -> None:
        """Nothing more follows."""
        self.finished, self.ok = True, ok
        self.write()

    def write(self) -> None:
        """Put the file in place."""
        content = {
            "generation": self.generation,
            "stages": [[stage, self.states.get(stage, "waiting")] for stage in self.stages],
            "notes": [[said.key, said.values] for said in self.notes],
            "finished": self.finished,
            "ok": self.ok,
        }
        write_whole(self.file, json.dumps(content) + "\n")


def read(file: Path = FILE) -> dict[str, Any] | None:
    """The latest progress; None where nothing was undertaken since the start."""
    try:
        found: dict[str, Any] = json.loads(file.read_text())
        return found
    except (OSError, ValueError):
        return None
