"""The settings of a box: one validated model, the only source of truth for its services.

`python3 -m firstboot.settings` prints the settings in force, as JSON for Ansible. While an image is
built there are none yet, so that the defaults make the configuration of the first start.
"""

import json
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from firstboot.stack import Stack

# RFC 1123, section 2.1: labels of letters, digits and hyphens, 253 characters in all.
HostName = Annotated[
    str,
    StringConstraints(
        to_lower=True,
        max_length=253,
        # The last label begins with a letter, so that no address passes for a name. Capitals are
        # in the pattern since it is checked before they are lowered.
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
        r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
    ),
]


class Settings(BaseModel):
    """What a box serves and under which names. The defaults are those of a box before set-up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host_name: HostName = "ratssaal.local"
    turn_name: HostName = "turn.ratssaal.local"

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if self.host_name == self.turn_name:
            raise ValueError("Web and relay are told apart by their names, which have to differ.")
        return self


def ansible_variables(settings: Settings, stack: Stack) -> dict[str, object]:
    """What the roles may use: `settings` and `stack`."""
    return {
        "settings": settings.model_dump(mode="json"),
        "stack": {
            "doors": [vars(door) for door in stack.doors],
            "relays": [vars(relay) for relay in stack.relays],
        },
    }


if __name__ == "__main__":
    print(json.dumps(ansible_variables(Settings(), Stack.read())))  # noqa: T201
