"""What a stick or a container's credentials bring to a box before set-up.

Answers, a code card, and on a stick alone a network, where a box without a screen would have none.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from builder import answers
from builder.call import Reachable
from builder.errors import CommandError, UsageError
from builder.stick import code_card

ANSWERS = "answers.yaml"
CODE_CARD = "code-card.json"
NETWORK = "network.json"
# The systemd credential that holds the same as the file on a stick.
CREDENTIALS = {ANSWERS: "ratssaal.answers", CODE_CARD: "ratssaal.code-card"}

# On the box: until nothing more is done with what was brought, at most for that many seconds.
SET_UP_SECONDS = 280
WAIT = f"""timeout {SET_UP_SECONDS} sh -c 'until test -s /run/ratssaal/answers-error.txt ||
    grep -qs "\\"finished\\": true" /run/ratssaal/progress.json; do sleep 0.2; done' || true
test ! -e /var/lib/ratssaal/settings/applied.json || echo applied
"""
WHY = "journalctl --no-pager -o cat -u ratssaal-answers -u ratssaal-converge | tail -n 20"


@dataclass(frozen=True)
class Seed:
    """Files by their name on a partition labelled RATSSAAL. `repr` never shows what is in them."""

    files: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"Seed({', '.join(self.files)})"

    @property
    def sets_up(self) -> bool:
        """Whether a box sets itself up with it."""
        return ANSWERS in self.files

    def credentials(self, folder: Path) -> dict[str, Path]:
        """The same as systemd credentials, by name; written into `folder`, for root alone."""
        found: dict[str, Path] = {}
        for name, content in self.files.items():
            file = folder / name
            file.touch(mode=0o600)
            file.write_bytes(content)
            found[CREDENTIALS[name]] = file
        return found


NOTHING = Seed({})


def prepare(answers_file: Path | None, card: Path | None, network: Path | None = None) -> Seed:
    """Check an answers file and a network, and make a code card (PDF) at `card`.

    network: a file (YAML) with what stands below `network` in an answers file. Raises UsageError
    where the box would refuse either, with every problem, or where there is a file at `card`
    already.
    """
    if answers_file and network:
        raise UsageError(
            "--network does not go with --answers, which hold the box's network themselves.",
            "Put it below `network` in the answers file.",
        )
    files: dict[str, bytes] = {}
    if answers_file:
        files[ANSWERS] = _checked(answers_file)
    if network:
        content = _checked(network, "Network")
        files[NETWORK] = json.dumps(yaml.safe_load(content)).encode()
    if card:
        files[CODE_CARD] = code_card.make(card)
    return Seed(files)


def wait_for_set_up(box: Reachable) -> None:
    """Wait until `box` has set itself up; CommandError with its own words where it does not."""
    if "applied" not in box.shell(WAIT):
        raise CommandError(
            f"The box did not set itself up by its answers. It says:\n{box.shell(WHY)}",
            "Look at the settings that it names; ./ratssaal boot --shell shows more.",
        )


def _checked(file: Path, part: str | None = None) -> bytes:
    checked = answers.check(file, part=part)
    lines = checked.lines()
    content = file.read_bytes()
    if lines:
        raise UsageError(
            "\n".join([f"{file} is not in order, so nothing was started:", *lines]),
            "docs/answers-example.yaml explains every answer.",
        )
    return content
