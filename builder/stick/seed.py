"""What a stick or a container's credentials bring to a box before set-up: answers, a code card."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder import answers
from builder.call import Reachable
from builder.errors import CommandError, UsageError
from builder.stick import code_card

ANSWERS = "answers.yaml"
CODE_CARD = "code-card.json"
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


def prepare(answers_file: Path | None, card: Path | None) -> Seed:
    """Check an answers file, and make a code card (PDF) at `card`.

    Raises UsageError where the box would refuse the answers, with every problem, or where there is
    a file at `card` already.
    """
    files: dict[str, bytes] = {}
    if answers_file:
        files[ANSWERS] = _checked(answers_file)
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


def _checked(file: Path) -> bytes:
    checked = answers.check(file)
    lines = checked.lines()
    content = file.read_bytes()
    if lines:
        raise UsageError(
            "\n".join([f"{file} is not in order, so nothing was started:", *lines]),
            "docs/answers-example.yaml explains every answer.",
        )
    return content
