"""Makes a code card: a sheet with the set-up code for a box without a screen, and its hash.

The code stands on the paper alone. The box is given the hash (firstboot/code-card.schema.json), by
a stick or as a credential.
"""

import json
import os
import secrets
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import segno
import yaml
from argon2 import PasswordHasher
from fpdf import FPDF

from builder.errors import UsageError
from builder.paths import PROJECT, version

# Those of the box's own codes: in one place on German and US keyboards, none like another.
LETTERS = "abcdefghjkmnpqrstuvwx"
# More than on a screen: who finds the stick may guess without asking the box.
LENGTH = 12
HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=2, hash_len=32, salt_len=16)
TEXTS = PROJECT / "firstboot/texts"
LANGUAGES = ("de", "en")
# The name by which a box on the same network is found, whatever address it was given.
ADDRESS = "https://ratssaal.local"
# Millimetres: A6 across, as any office printer takes it, alone or on a corner of A4.
WIDTH, HEIGHT, MARGIN, QR_SIDE = 148.0, 105.0, 8.0, 30.0
BLACK, GREY = 0, 100


def make(file: Path) -> bytes:
    """Write a card with a new code to `file`, for its owner alone; what the stick has to hold.

    Raises UsageError where there is such a file already: another stick may belong to it.
    """
    code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"{file} exists already; it may be the card of another stick.",
            "Name a file that does not exist yet, such as --code-card card.pdf.",
        ) from error
    except OSError as error:
        raise UsageError(
            f"The code card cannot be written to {file}: {error.strerror}.",
            "Name a file in a folder that exists, such as --code-card card.pdf.",
        ) from error
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(draw(code))
    return (json.dumps({"version": 1, "hash": HASHER.hash(code)}) + "\n").encode()


def grouped(code: str) -> str:
    """For reading: groups of four letters."""
    return " ".join(code[n : n + 4] for n in range(0, len(code), 4))


def _texts(language: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((TEXTS / language / "code_card.yaml").read_text())
    return {key: text.format(address=ADDRESS) for key, text in found.items()}


def draw(code: str) -> bytes:
    """The card as a PDF of one page."""
    pdf = FPDF(orientation="landscape", unit="mm", format=(HEIGHT, WIDTH))
    pdf.set_auto_page_break(False)
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.c_margin = 0
    # In which the texts have all their letters; "…" and German quotes too.
    pdf.core_fonts_encoding = "windows-1252"
    german, english = (_texts(language) for language in LANGUAGES)
    pdf.set_title(german["title"])
    pdf.set_lang("de")
    pdf.set_creator(f"Ratssaal {version()}")
    pdf.add_page()
    _qr(pdf)
    _line(pdf, f"Ratssaal {version()}", size=8, grey=True)
    _line(pdf, german["title"], size=15, bold=True)
    _line(pdf, english["title"], size=10, grey=True)
    pdf.set_y(MARGIN + QR_SIDE - 11)
    pdf.set_font("courier", "B", 30)
    pdf.cell(0, 14, grouped(code), new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(MARGIN + QR_SIDE + 5)
    columns = (WIDTH - 2 * MARGIN - 6) / 2
    top = pdf.y
    for number, texts in enumerate((german, english)):
        pdf.set_left_margin(MARGIN + number * (columns + 6))
        pdf.set_y(top)
        _line(pdf, texts["what"], size=9, width=columns)
        for step in ("step_1", "step_2", "step_3"):
            _line(pdf, f"{step[-1]}.  {texts[step]}", size=9, width=columns)
        pdf.set_y(pdf.y + 1.5)
        _line(pdf, texts["keep"], size=8, width=columns, bold=True)
    pdf.set_left_margin(MARGIN)
    pdf.set_y(HEIGHT - MARGIN - 5)
    _line(pdf, f"{german['place']} · {english['place']}:", size=8, grey=True)
    pdf.set_draw_color(GREY)
    pdf.line(MARGIN + 24, HEIGHT - MARGIN - 1, WIDTH - MARGIN, HEIGHT - MARGIN - 1)
    return bytes(pdf.output())


def _line(
    pdf: Any, text: str, *, size: float, bold: bool = False, grey: bool = False, width: float = 100
) -> None:
    pdf.set_font("helvetica", "B" if bold else "", size)
    pdf.set_text_color(GREY if grey else BLACK)
    pdf.multi_cell(width, pdf.font_size * 1.3, text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(BLACK)


def _qr(pdf: Any) -> None:
    """The address as a QR code in the upper right corner, in rectangles of black modules."""
    rows = [list(row) for row in segno.make(ADDRESS, error="m", micro=False).matrix_iter(border=4)]
    module = QR_SIDE / len(rows)
    # The quiet zone lies in the margin.
    left, top = WIDTH - MARGIN - QR_SIDE + 4 * module, MARGIN - 4 * module
    pdf.set_fill_color(BLACK)
    for down, row in enumerate(rows):
        for dark, run in groupby(enumerate(row), key=itemgetter(1)):
            if dark:
                across = [column for column, _ in run]
                x, width = left + across[0] * module, len(across) * module
                pdf.rect(x, top + down * module, width, module, style="F")
