"""How text stands on the box's screen: in 24 lines of 79 columns, labels at the left.

Small, as firstboot.screen.console is: it is run at each change of what the screen shows.
"""

import json
import textwrap
from collections.abc import Iterable
from pathlib import Path

# White on black whatever the terminal's own colours are: a QR code is read by its dark modules.
CLEAR = "\x1b[0;37;40m\x1b[H\x1b[2J\x1b[3J"
# A terminal of 80 columns and 24 or 25 lines; what ends in column 80 makes some of them wrap.
COLUMNS = 79
LINES = 24
INDENT = " " * 12


def entry(label: str, text: str, columns: int = COLUMNS) -> list[str]:
    """`text` behind its label, in lines of at most `columns`."""
    return textwrap.wrap(
        text,
        columns,
        initial_indent=f"  {label:<10}",
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )


def sentences(names: tuple[str, ...]) -> list[str]:
    """The texts of these keys, German and then English; a key without a text is passed over.

    Those of the topic `console`, or `TOPIC.key`; perhaps with values as JSON behind.
    """
    if not names:
        return []
    # Read with a library that whoever only wants the screen redrawn need not load.
    from firstboot.texts import LANGUAGES, say

    def known(language: str, line: str) -> str:
        name, _, values = line.partition(" ")
        try:
            said = say(
                language, name if "." in name else f"console.{name}", **json.loads(values or "{}")
            )
        except (KeyError, OSError, ValueError):
            return ""
        return printable(said)

    return [
        " ".join(filter(None, (known(language, one) for one in names))) for language in LANGUAGES
    ]


def paragraphs(texts: Iterable[str]) -> list[str]:
    """Each text in lines of its own, indented as all on the screen is."""
    return [
        line
        for one in texts
        for line in textwrap.wrap(one, COLUMNS, initial_indent="  ", subsequent_indent="  ")
    ]


def printable(text: str) -> str:
    """A text without what could move the cursor."""
    return "".join(one if one.isprintable() else " " for one in text)


def lines_of(file: Path) -> list[str]:
    """The lines of a file, without what could move the cursor; none where it cannot be read."""
    try:
        found = file.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return [printable(line) for line in found]
