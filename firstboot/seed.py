"""What was brought to the box before set-up: files on a stick labelled RATSSAAL, or credentials.

Whoever can hand over either stands before the box, as does whoever reads the code on its screen.
What an installation has taken along from such a stick lies on the disk that the box was started
from. Nothing is read from any other disk (62-ratssaal-brought.rules).
"""

import os
import subprocess
import tempfile
from pathlib import Path

from firstboot.texts import SaidError

LABEL = "RATSSAAL"
# In this order: where both have a file, the stick's holds.
PARTITIONS = (Path("/dev/ratssaal/brought"), Path("/dev/ratssaal/stick"))
ANSWERS = "answers.yaml"
CODE_CARD = "code-card.json"
# What was answered in the wizard on a stick, from which the box has been installed since.
DRAFT = "draft.json"
# The network that was in force there, where it is not what a box begins with.
NETWORK = "network.json"
# The systemd credential that holds the same as the file; it goes before one on the partition.
CREDENTIALS = {ANSWERS: "ratssaal.answers", CODE_CARD: "ratssaal.code-card"}
LIMIT_BYTES = 1_000_000


def _read_files(folder: Path, names: dict[str, str]) -> dict[str, bytes]:
    """Those of the files that are there, by the keys of `names`; a byte more than is allowed."""
    found: dict[str, bytes] = {}
    for key, name in names.items():
        if (folder / name).exists():
            with (folder / name).open("rb") as file:
                found[key] = file.read(LIMIT_BYTES + 1)
    return found


def _from_credentials() -> dict[str, bytes]:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return _read_files(Path(folder), CREDENTIALS) if folder else {}


def _from_partition(partition: Path) -> dict[str, bytes]:
    """The files on the stick, which is mounted for this moment, read-only."""
    if not partition.exists():
        return {}
    with tempfile.TemporaryDirectory() as place:
        options = "ro,nosuid,nodev,noexec,nosymfollow"
        subprocess.run(["mount", "-t", "vfat", "-o", options, partition, place], check=True)
        try:
            return _read_files(Path(place), {name: name for name in (*CREDENTIALS, DRAFT, NETWORK)})
        finally:
            subprocess.run(["umount", place], check=True)


def read() -> dict[str, bytes]:
    """What was brought, by its name on the partition; SaidError where that cannot be read."""
    found: dict[str, bytes] = {}
    try:
        for partition in PARTITIONS:
            found |= _from_partition(partition)
        return found | _from_credentials()
    except (OSError, subprocess.CalledProcessError) as error:
        raise SaidError("seed.unreadable") from error
