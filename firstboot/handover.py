"""The handover sheet: one page that the house keeps in a drawer for the day nobody remembers.

It says where the box is reached, whom to call, how to restart and to restore. What is secret is not
on it: no password, no code; the recovery key is written into a blank field by hand.
"""

import datetime
import ipaddress
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import segno
from fpdf import FPDF, ViewerPreferences  # type: ignore[import-untyped]

from firstboot.texts import Said, say

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
LOCAL_NAME = "ratssaal.local"
# Millimetres. The left margin leaves room for a folder's holes (DIN 5008).
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 210.0, 297.0, 25.0, 15.0, 14.0, 12.0
LABELS = 47.0  # the column of headings, for the longest half of one in the largest letters
QR_SIDE = 36.0  # with its quiet zone of four modules (ISO/IEC 18004)
LINE = 1.32  # of the font's size
# Points: the first at which everything is on one page. The last are for what nobody enters.
SIZES = (11.0, 10.5, 10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0)
MOST_CHARACTERS = 200  # of a name or a line
MOST_ADMINISTRATORS, MOST_ADDRESSES, MOST_LINES = 8, 8, 6
BOX_GAP, BOX_HEIGHT = 2.5, 10.5
GROUPS = 8  # of a recovery key, eight letters each (systemd-cryptenroll(1), --recovery-key)
BLACK, GREY, BLUE = 0, 110, (23, 26, 78)


@dataclass(frozen=True)
class Sheet:
    """What is on the sheet, all of it public.

    `addresses` are bare IP addresses, `test_room` is a URL, `support` may have several lines.
    `certificate` says how the certificate is renewed, `certificate_until` its last day if it is
    known. `made` is in local time, as it is printed.
    """

    house: str
    host_name: str
    addresses: tuple[str, ...]
    version: str
    certificate: Said | str
    certificate_until: datetime.date | None
    administrators: tuple[str, ...]
    support: str
    test_room: str
    made: datetime.datetime


def pdf(sheet: Sheet, language: str) -> bytes:
    """The sheet as a PDF of exactly one page A4, tagged for screen readers (ISO 32000-1, 14.8).

    Names and lines of up to 200 characters are shown whole, in smaller letters where there are
    many; longer ones end in "…", and beyond eight administrators or addresses and six lines of
    support the rest is left out. Raises ValueError for a `test_room` that no QR code can hold.
    """
    for size in SIZES:
        page = _Page(size)
        _draw(page, sheet, language)
        if page.y <= HEIGHT - BOTTOM:
            break
    return page.output(sheet, language)


def _clean(text: str, most: int = MOST_CHARACTERS) -> str:
    """One line without characters that cannot be seen, cut to `most` characters."""
    spaced = " ".join(text.split())
    seen = "".join(one for one in spaced if not unicodedata.category(one).startswith("C"))
    return seen if len(seen) <= most else seen[: most - 1] + "…"


def _url(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return f"https://[{parsed}]" if parsed.version == 6 else f"https://{parsed}"


def _draw(page: "_Page", sheet: Sheet, language: str) -> None:
    def t(key: str, **values: object) -> str:
        return say(language, f"handover.{key}", **values)

    page.head(
        t("product"),
        t("title"),
        _clean(sheet.house),
        t("made", date=sheet.made) + "  ·  " + t("version", version=_clean(sheet.version, 40)),
    )
    page.code(sheet.test_room, t("scan"), t("qr", url=sheet.test_room))

    page.section(t("addresses"))
    if sheet.host_name != LOCAL_NAME:
        page.line(t("by_name", url=f"https://{_clean(sheet.host_name, 253)}"))
    page.line(t("by_local_name", url=f"https://{LOCAL_NAME}"))
    if sheet.addresses:
        bare = [_url(_clean(one)) for one in sheet.addresses[:MOST_ADDRESSES]]
        page.line(t("by_address", urls=", ".join(bare)))
    page.line(t("test_room", url=_clean(sheet.test_room, 300)))

    page.section(t("call"))
    lines = [one for one in map(_clean, sheet.support.splitlines()) if one]
    for one in lines[:MOST_LINES]:
        page.line(one)
    page.field((t("name"), t("telephone")))

    page.section(t("administrators"))
    named = ", ".join(map(_clean, sheet.administrators[:MOST_ADMINISTRATORS]))
    more = len(sheet.administrators) - MOST_ADMINISTRATORS
    page.line(t("and_more", names=named, count=more) if more > 0 else named or t("nobody"))
    page.line(t("no_passwords"), grey=True)

    page.section(t("certificate"))
    said = sheet.certificate
    page.line(_clean(said.text(language) if isinstance(said, Said) else said, 400))
    until = sheet.certificate_until
    page.line(t("until", date=until) if until else t("until_unknown"))

    page.section(t("restart"))
    for number in (1, 2, 3):
        page.line(t(f"restart_{number}"), lead=f"{number}.")

    page.section(t("restore"))
    for number in (1, 2, 3, 4):
        page.line(t(f"restore_{number}"), lead=f"{number}.")

    page.section(t("key"))
    page.line(t("key_how"))
    page.boxes(GROUPS)

    page.foot(t("keep"))


class _Page:
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

    def output(self, sheet: Sheet, language: str) -> bytes:
        """The file, with what a screen reader and a file manager want to know."""
        title = say(language, "handover.document", house=_clean(sheet.house))
        self._fpdf.set_title(title)
        self._fpdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self._fpdf.set_lang(language)
        self._fpdf.set_author(_clean(sheet.house))
        self._fpdf.set_creator(f"Ratssaal {_clean(sheet.version, 40)}")
        self._fpdf.set_creation_date(sheet.made)
        return bytes(self._fpdf.output())
