"""The code card of a stick: the box is given the hash of a code that stands on paper alone.

The card, made by `./ratssaal`, is for a box without a screen. Its file is JSON, checked by the
model below and published as code-card.schema.json (`python3 -m firstboot.access.code_card`).
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from firstboot.access import code
from firstboot.files import write_whole
from firstboot.texts import SaidError

LIMIT_BYTES = 4096
# Argon2id in the PHC string format: 64 MiB, three rounds, two lanes, a salt of 16 bytes and a tag
# of 32. No other costs: neither too little for a stick that is lost, nor too much for a small box.
HASH = r"^\$argon2id\$v=19\$m=65536,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$"


class CodeCard(BaseModel):
    """What the stick says of its card."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    version: Literal[1]
    hash: Annotated[
        str,
        StringConstraints(pattern=HASH),
        Field(
            description="the Argon2id hash of the code in small letters, without blanks",
            json_schema_extra={"writeOnly": True},
        ),
    ]


def read(content: bytes) -> CodeCard:
    """The card in a file. Raises SaidError where it is none."""
    if len(content) > LIMIT_BYTES:
        raise SaidError("code_card.not_accepted")
    try:
        return CodeCard.model_validate_json(content)
    except ValidationError as error:
        raise SaidError("code_card.not_accepted") from error


def take(card: CodeCard, file: Path = code.FILE) -> bool:
    """Let the card's code be the only one; False where this card was taken before.

    A card counts once: a stick that stays plugged in must not bring its code back after somebody
    has asked for a new one at the box.
    """
    mark = file.with_name("code-card.sha256")
    sign = hashlib.sha256(card.hash.encode()).hexdigest()
    if mark.exists() and mark.read_text() == sign:
        return False
    code.take_over(card.hash, file)
    # Power may go in between: then the same card is taken over once more.
    write_whole(mark, sign, mode=0o600)
    return True


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **CodeCard.model_json_schema(),
        "title": "Ratssaal: the code card of a stick",
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))  # noqa: T201
