"""Sets a box up from an answers file, without a click: for a district that prepares its boxes.

The file, YAML with the schema of the settings, comes as the systemd credential `ratssaal.answers`
or as answers.yaml on a partition labelled RATSSAAL. Only before set-up; whoever can hand it
over stands before the box, as does whoever reads the code on its screen. What is wrong with it
stands on the screen and in the journal, never with its values.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from pydantic import ValidationError

from firstboot import agent
from firstboot.console import ANSWERS_ERROR, redraw
from firstboot.files import write_whole
from firstboot.settings import Settings
from firstboot.store import Draft, Store
from firstboot.texts import LANGUAGES, Said, SaidError

SEED = Path("/dev/disk/by-label/RATSSAAL")
NAME = "answers.yaml"
LIMIT_BYTES = 1_000_000
# What the library raises for a file that is no YAML, and for values that are not of their kind.
UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError)


def from_credential() -> bytes | None:
    """The answers that systemd handed over."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder) / "ratssaal.answers" if folder else None
    return file.read_bytes() if file and file.exists() else None


def from_seed() -> bytes | None:
    """The answers on the stick's seed partition, which is mounted for this moment, read-only."""
    if not SEED.exists():
        return None
    with tempfile.TemporaryDirectory() as place:
        options = "ro,nosuid,nodev,noexec,nosymfollow"
        subprocess.run(["mount", "-t", "vfat", "-o", options, SEED, place], check=True)
        try:
            file = Path(place) / NAME
            return file.read_bytes() if file.exists() else None
        finally:
            subprocess.run(["umount", place], check=True)


def read(content: bytes) -> Settings:
    """The settings in an answers file. Raises SaidError where there are none in it."""
    if len(content) > LIMIT_BYTES:
        raise SaidError("answers.too_large", limit=LIMIT_BYTES // 1000)
    try:
        found = yaml.safe_load(content)
    except UNREADABLE as error:
        mark = getattr(error, "problem_mark", None)
        raise SaidError("answers.not_yaml", line=mark.line + 1 if mark else 1) from error
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(one) for one in first["loc"]) or "-"
        raise SaidError("answers.not_accepted", answer=place) from error


def main() -> int:
    """Look for answers; where there are some, bring them into force."""
    store = Store()
    if store.numbers():
        return 0
    content = from_credential() or from_seed()
    if content is None:
        return 0
    try:
        Draft(store).begin(read(content))
        agent.apply(store, Said("answers.who").text("de"))
    except SaidError as error:
        lines = [error.said.text(language) for language in LANGUAGES]
        write_whole(ANSWERS_ERROR, "\n".join(lines) + "\n")
        print(lines[-1], file=sys.stderr)  # noqa: T201
        redraw()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
