"""A page of paper as a tagged PDF, filled from the top: headings, lines, a QR code, blank fields.

Screen readers are told what is what (ISO 32000-1, section 14.8).
"""

import datetime
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import segno
from fpdf import FPDF, ViewerPreferences

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
# Millimetres. The left margin leaves room for a folder's holes (DIN 5008).
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 210.0, 297.0, 25.0, 15.0, 14.0, 12.0
LABELS = 47.0  # the column of headings, for the longest half of one in the largest letters
QR_SIDE = 36.0  # with its quiet zone of four modules (ISO/IEC 18004)
LINE = 1.32  # of the font's size
BOX_GAP, BOX_HEIGHT = 2.5, 10.5
BLACK, GREY, BLUE = 0, 110, (23, 26, 78)


class Page:
    """An A4 page that is filled from the top; `y` is where the next line goes, in millimetres."""

    def __init__(self, size: float) -> None:
        self.size = size
        self.y = TOP
        self._below = TOP  # the lower edge of what stands on the right
        self._fpdf = FPDF(format="A4")
        self._fpdf.set_auto_page_break(False)
        self._fpdf.set_margins(LEFT, TOP, RIGHT)
        self._fpdf.set_line_width(0.2)
        self._fpdf.c_margin = 0
        bold = FONT.with_name(f"{FONT.stem}-Bold{FONT.suffix}")
        self._core = not (FONT.is_file() and bold.is_file())
        self._family = "helvetica" if self._core else "sheet"
        if self._core:
            self._fpdf.core_fonts_encoding = "windows-1252"
        else:
            self._fpdf.add_font(self._family, "", FONT)
            self._fpdf.add_font(self._family, "B", bold)
        self._fpdf.add_page()

    @property
    def is_full(self) -> bool:
        """Whether something stands below the lower margin."""
        return self.y > HEIGHT - BOTTOM

    @contextmanager
    def _tagged(self, kind: str, alternative: str | None = None) -> Iterator[None]:
        """What is drawn inside is a heading, paragraph or figure in the document's structure."""
        # fpdf2 2.8 tags figures alone, and a reader of a tagged document skips what is not tagged.
        number = self._fpdf.struct_builder.next_mcid_for_page(self._fpdf.page)
        self._fpdf._add_marked_content(struct_type=f"/{kind}", mcid=number, alt_text=alternative)
        self._fpdf._out(f"/{kind} <</MCID {number}>> BDC")
        yield
        self._fpdf._out("EMC")

    @contextmanager
    def _ornament(self) -> Iterator[None]:
        self._fpdf._out("/Artifact BMC")
        yield
        self._fpdf._out("EMC")

    def _readable(self, text: str) -> str:
        """`text` in characters that the font has, if it is one of PDF's own."""
        if not self._core:
            return text
        shown = []
        for one in text:
            bare = unicodedata.normalize("NFKD", one)[0]
            fits = (way for way in (one, bare) if way.encode("cp1252", "ignore"))
            shown.append(next(fits, "?"))
        return "".join(shown)

    def _put(
        self,
        kind: str,
        text: str,
        x: float,
        width: float,
        *,
        size: float = 1.0,
        bold: bool = False,
        grey: bool = False,
        align: str = "L",
        lead: str = "",
    ) -> None:
        """Write `text` at `y` into `width` and go below it; `size` is a part of the page's."""
        self._fpdf.set_font(self._family, "B" if bold else "", self.size * size)
        self._fpdf.set_text_color(GREY if grey else BLACK)
        self._fpdf.set_xy(x, self.y)
        height, indent = self._fpdf.font_size * LINE, self._fpdf.font_size * 1.5 if lead else 0
        with self._tagged(kind):
            if lead:
                self._fpdf.cell(indent, height, f"{lead} ")
            self._fpdf.multi_cell(width - indent, height, self._readable(text), align=align)
        self.y = self._fpdf.y

    def head(self, product: str, title: str, house: str, note: str) -> None:
        """Product, title and house in large letters, beside the room for the QR code."""
        width = WIDTH - LEFT - RIGHT - QR_SIDE - 6
        with self._ornament():
            self._fpdf.set_fill_color(*BLUE)
            self._fpdf.rect(LEFT, self.y, width, 1.2, style="F")
        self.y += 3.5
        self._put("P", product, LEFT, width, size=0.9, grey=True)
        self._put("H1", title, LEFT, width, size=2.0, bold=True)
        self.y += 1
        self._put("P", house, LEFT, width, size=1.5 if len(house) <= 70 else 1.1)
        self.y += 1
        self._put("P", note, LEFT, width, size=0.9, grey=True)

    def code(self, url: str, caption: str, alternative: str) -> None:
        """The QR code with `url` in the upper right corner, in rectangles of black modules."""
        rows = [list(row) for row in segno.make(url, error="m", micro=False).matrix_iter(border=4)]
        module = QR_SIDE / len(rows)
        x, after = WIDTH - RIGHT - QR_SIDE, self.y
        self._fpdf.set_fill_color(BLACK)
        with self._tagged("Figure", alternative):
            for down, row in enumerate(rows):
                for dark, run in groupby(enumerate(row), key=itemgetter(1)):
                    if dark:
                        across = [column for column, _ in run]
                        left, width = x + across[0] * module, len(across) * module
                        self._fpdf.rect(left, TOP + down * module, width, module, style="F")
        self.y = TOP + QR_SIDE
        self._put("P", caption, x, QR_SIDE, size=0.85, align="C")
        self.y = max(self.y, after)

    def section(self, heading: str) -> None:
        """Start a part with its heading on the left, below a thin line."""
        gap = self.size * 0.18
        self.y = max(self.y, self._below) + gap
        with self._ornament():
            self._fpdf.set_draw_color(200)
            self._fpdf.line(LEFT, self.y, WIDTH - RIGHT, self.y)
        self.y += gap
        above = self.y
        self._put("H2", heading, LEFT, LABELS - 2, bold=True)
        self._below, self.y = self.y, above

    def line(self, text: str, *, lead: str = "", grey: bool = False) -> None:
        """A paragraph in the right column; all lines stand beside `lead`, where there is one."""
        x = LEFT + LABELS
        self._put("P", text, x, WIDTH - RIGHT - x, grey=grey, lead=lead)

    def field(self, labels: Sequence[str]) -> None:
        """Labelled lines beside each other, to be filled in by hand."""
        x = LEFT + LABELS
        each = (WIDTH - RIGHT - x) / len(labels)
        self.y += 4
        above = self.y
        for number, label in enumerate(labels):
            start, self.y = x + number * each, above
            self._put("P", label, start, each * 0.3, size=0.85, grey=True)
            with self._ornament():
                self._fpdf.set_draw_color(GREY)
                self._fpdf.line(start + each * 0.3, self.y - 0.6, start + each - 4, self.y - 0.6)
        self.y += 0.5

    def boxes(self, count: int) -> None:
        """Numbered blank boxes in two rows, each for one group of the recovery key."""
        x, beside, top = LEFT + LABELS, count // 2, self.y + 1
        each = (WIDTH - RIGHT - x + BOX_GAP) / beside
        for number in range(count):
            row, column = divmod(number, beside)
            left, self.y = x + column * each, top + row * (BOX_HEIGHT + BOX_GAP)
            with self._ornament():
                self._fpdf.set_draw_color(GREY)
                self._fpdf.rect(left, self.y, each - BOX_GAP, BOX_HEIGHT)
            self.y += 0.5
            self._put("P", str(number + 1), left + 0.8, each - 5, size=0.65, grey=True)
        self.y = top + 2 * (BOX_HEIGHT + BOX_GAP)

    def foot(self, text: str) -> None:
        """The last paragraph, over the whole width."""
        self.y = max(self.y, self._below) + self.size * 0.18
        self._put("P", text, LEFT, WIDTH - LEFT - RIGHT, bold=True)

    def output(
        self, language: str, *, title: str, author: str, creator: str, made: datetime.datetime
    ) -> bytes:
        """The file, with what a screen reader and a file manager want to know."""
        self._fpdf.set_title(title)
        self._fpdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self._fpdf.set_lang(language)
        self._fpdf.set_author(author)
        self._fpdf.set_creator(creator)
        self._fpdf.set_creation_date(made)
        return bytes(self._fpdf.output())
