"""The handover sheet: one page, readable by people and their screen readers, without a secret."""

import dataclasses
import datetime
import re
import zlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
import segno
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st

from firstboot import paper, texts
from firstboot.handover import Sheet, pdf
from firstboot.texts import Said

pytestmark = pytest.mark.unit

A4 = (595.28, 841.89)  # points
MADE = datetime.datetime(2026, 1, 15, 14, 30, tzinfo=datetime.UTC)
SHEET = Sheet(
    house="Stadt Möckmühl",
    host_name="sitzung.moeckmuehl.example",
    addresses=("192.0.2.10", "2001:db8:1::10"),
    version="0.1.0",
    certificate="Das Gerät erneuert sein Zertifikat selbst.",
    certificate_until=datetime.date(2026, 3, 31),
    administrators=("Erika Mustermann", "Jörg Weiß"),
    support="Systemhaus Neckar, 07134 555-0\nMontag bis Freitag – 8 bis 17 Uhr",
    test_room="https://sitzung.moeckmuehl.example/test",
    made=MADE,
)
LONG = "Verwaltungsgemeinschaft der Städte und Gemeinden am mittleren Neckar " * 3
WIDEST = "W" * 500
needs_dejavu = pytest.mark.skipif(not paper.FONT.is_file(), reason="no DejaVu on this host")


def full(text: str) -> Sheet:
    """A sheet with `text` wherever people write, as often as they like."""
    return Sheet(
        house=text,
        host_name=(text.replace(" ", "-") * 2)[:253],
        addresses=(text,) * 9,
        version=text,
        certificate=text,
        certificate_until=None,
        administrators=(text,) * 20,
        support="\n".join([text] * 9),
        test_room="https://" + "w" * 250 + "/test",
        made=MADE,
    )


@dataclass(frozen=True)
class Piece:
    """A line of text as it stands on the page: points from the lower left corner."""

    font: str
    size: float
    x: float
    y: float
    text: str


class Drawn:
    """What a viewer finds in a PDF of fpdf2: its pages, texts, rectangles and tags."""

    def __init__(self, file: bytes) -> None:
        self.file = file
        self.pages = len(re.findall(rb"/Type /Page\n", file))
        streams = []
        for found in re.finditer(rb"stream\n(.*?)\nendstream", file, re.DOTALL):
            try:
                streams.append(zlib.decompress(found[1]))
            except zlib.error:
                streams.append(found[1])
        self.content = next(one for one in streams if b" BDC\n" in one)
        self._maps = [
            {
                int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be")
                for code, letter in re.findall(rb"<(\w{4})> <(\w+)>\n", one)
            }
            for one in streams
            if b"beginbfchar" in one
        ]
        self.pieces = list(self._read())

    def _read(self) -> list[Piece]:
        pieces, font, size = [], "", 0.0
        pattern = rb"/(F\d) ([\d.]+) Tf|BT ([-\d.]+) ([-\d.]+) Td [^(\n]*\(((?:\\.|[^\\)])*)\) Tj"
        for found in re.finditer(pattern, self.content, re.DOTALL):
            if found[1]:
                font, size = found[1].decode(), float(found[2])
                continue
            raw = re.sub(rb"\\(.)", lambda m: b"\r" if m[1] == b"r" else m[1], found[5])
            if self._maps:
                letters = self._maps[int(font[1]) - 1]
                pairs = zip(raw[::2], raw[1::2], strict=True)
                text = "".join(letters[high << 8 | low] for high, low in pairs)
            else:
                text = raw.decode("cp1252")
            pieces.append(Piece(font, size, float(found[3]), float(found[4]), text))
        return pieces

    @property
    def text(self) -> str:
        """All that is written, lines joined by blanks."""
        return " ".join(one.text.strip() for one in self.pieces)

    def modules(self, side: int) -> list[list[bool]]:
        """The QR code as its dark modules, `side` a side and without the quiet zone."""
        figure = self.content.split(b"/Figure ")[1].split(b"EMC")[0]
        found = [
            tuple(map(float, one))
            for one in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) -([\d.]+) re f", figure)
        ]
        step = found[0][3]
        left, top = min(x for x, *_ in found), max(y for _, y, *_ in found)
        dark = [[False] * side for _ in range(side)]
        for x, y, width, _ in found:
            for number in range(round(width / step)):
                dark[round((top - y) / step)][round((x - left) / step) + number] = True
        return dark


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box without DejaVu."""
    monkeypatch.setattr(paper, "FONT", Path("/nowhere/DejaVuSans.ttf"))


@cache
def ruler() -> FPDF:
    made = FPDF(unit="pt")
    made.core_fonts_encoding = "windows-1252"
    return made


def width(piece: Piece) -> float:
    """How many points `piece` takes in Helvetica (F1) or its bold (F2)."""
    ruler().set_font("helvetica", "B" if piece.font == "F2" else "", piece.size)
    return float(ruler().get_string_width(piece.text))


@needs_dejavu
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_everything_that_the_house_needs_is_on_the_page(language: str) -> None:
    drawn = Drawn(pdf(SHEET, language))
    assert drawn.pages == 1
    for known in (
        "Stadt Möckmühl",
        "https://sitzung.moeckmuehl.example",
        "https://ratssaal.local",
        "https://192.0.2.10",
        "https://[2001:db8:1::10]",
        "0.1.0",
        "Das Gerät erneuert sein Zertifikat selbst.",
        "Erika Mustermann, Jörg Weiß",
        "Systemhaus Neckar, 07134 555-0",
        "Montag bis Freitag – 8 bis 17 Uhr",
        "https://sitzung.moeckmuehl.example/test",
    ):
        assert known in drawn.text
    for key in ("title", "call", "name", "telephone", "restart", "restore", "keep"):
        assert texts.say(language, f"handover.{key}") in drawn.text
    for step in ("restart_1", "restart_3", "restore_1", "restore_4", "key_how"):
        assert texts.say(language, f"handover.{step}") in drawn.text


def test_days_are_written_as_the_language_does() -> None:
    german, english = Drawn(pdf(SHEET, "de")).text, Drawn(pdf(SHEET, "en")).text
    assert "Stand 15.01.2026, 14:30 Uhr" in german
    assert "Gültig bis 31.03.2026." in german
    assert "As of 2026-01-15, 14:30" in english
    assert "Valid until 2026-03-31." in english


def test_a_certificate_whose_end_is_not_known_says_where_to_look() -> None:
    text = Drawn(pdf(replace(SHEET, certificate_until=None), "de")).text
    assert "Gültig bis" not in text
    assert texts.say("de", "handover.until_unknown") in text


def test_the_certificate_may_be_a_sentence_in_no_language_yet() -> None:
    said = Said("handover.and_more", {"names": "Zertifikate", "count": 3})
    assert "Zertifikate und 3 weitere" in Drawn(pdf(replace(SHEET, certificate=said), "de")).text
    assert "Zertifikate and 3 more" in Drawn(pdf(replace(SHEET, certificate=said), "en")).text


def test_a_box_without_a_name_of_its_own_is_found_by_its_local_one() -> None:
    text = Drawn(pdf(replace(SHEET, host_name="ratssaal.local", addresses=()), "de")).text
    assert text.count("https://ratssaal.local") == 1
    assert "Im Browser" not in text
    assert "Wenn die Namen nicht gehen" not in text


def test_nobody_is_named_where_there_is_nobody_yet() -> None:
    text = Drawn(pdf(replace(SHEET, administrators=(), support=""), "de")).text
    assert texts.say("de", "handover.nobody") in text
    assert "Wen anrufen? Name Telefon" in text


def test_many_administrators_are_counted() -> None:
    names = tuple(f"Person {number}" for number in range(1, 12))
    text = Drawn(pdf(replace(SHEET, administrators=names), "de")).text
    assert "Person 8 und 3 weitere" in text
    assert "Person 9" not in text


def test_the_recovery_key_has_eight_blank_boxes() -> None:
    drawn = Drawn(pdf(SHEET, "de"))
    boxes = re.findall(rb"[\d.]+ [\d.]+ [\d.]+ -[\d.]+ re S", drawn.content)
    assert len(boxes) == 8
    # Nothing but its number is in a box.
    text = drawn.text
    after = text[text.index(texts.say("de", "handover.key_how").split(". ")[-1]) :]
    assert "verloren sein. 1 2 3 4 5 6 7 8 Dieses Blatt" in after


def test_the_sheet_has_no_place_for_a_secret() -> None:
    names = {field.name for field in dataclasses.fields(Sheet)}
    assert names == {
        "house",
        "host_name",
        "addresses",
        "version",
        "certificate",
        "certificate_until",
        "administrators",
        "support",
        "test_room",
        "made",
    }


@pytest.mark.parametrize("url", [SHEET.test_room, "https://192.0.2.10/", full("x").test_room])
def test_the_qr_code_opens_the_test_room(url: str) -> None:
    expected = segno.make(url, error="m", micro=False).matrix
    drawn = Drawn(pdf(replace(SHEET, test_room=url), "de"))
    assert drawn.modules(len(expected)) == [[bool(one) for one in row] for row in expected]


def test_a_test_room_that_no_qr_code_holds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"(?i)data"):
        pdf(replace(SHEET, test_room="https://" + "w" * 4000), "de")


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("text", [LONG, LONG.replace(" ", ""), WIDEST, "i" * 200, "", "ﬁ–€Ā"])
def test_nothing_leaves_the_page(core: None, language: str, text: str) -> None:
    drawn = Drawn(pdf(full(text), language))
    assert drawn.pages == 1
    for piece in drawn.pieces:
        assert piece.x > 70
        assert piece.x + width(piece) <= A4[0] - 42
        assert 30 < piece.y < A4[1] - 30


@needs_dejavu
@pytest.mark.parametrize("text", [LONG, WIDEST])
def test_nothing_leaves_the_page_in_dejavu(text: str) -> None:
    drawn = Drawn(pdf(full(text), "de"))
    assert drawn.pages == 1
    assert all(30 < piece.y < A4[1] - 30 for piece in drawn.pieces)


def test_names_of_200_characters_are_shown_whole_and_longer_ones_cut() -> None:
    house, longer = LONG[:200], LONG[:203]
    joined = Drawn(pdf(replace(SHEET, house=house), "de")).text
    assert house in joined
    joined = Drawn(pdf(replace(SHEET, house=longer), "de")).text
    assert longer[:199] + "…" in joined
    assert longer not in joined


def test_a_usual_sheet_is_printed_in_letters_that_one_can_read() -> None:
    sizes = [piece.size for piece in Drawn(pdf(SHEET, "de")).pieces]
    assert sorted(sizes)[len(sizes) // 2] >= 10
    assert min(sizes) > 6


@pytest.mark.parametrize("sheet", [SHEET, replace(SHEET, addresses=(), support="")])
def test_no_heading_is_broken_in_the_middle_of_a_word(sheet: Sheet) -> None:
    drawn = Drawn(pdf(sheet, "de"))
    assert "Wiederherstellen" in [piece.text for piece in drawn.pieces]
    assert "Wiederherstellungs" in drawn.text
    assert "schlüssel" in [piece.text for piece in drawn.pieces]


def test_without_dejavu_umlauts_and_dashes_are_there_and_the_rest_comes_close(core: None) -> None:
    sheet = replace(SHEET, administrators=("Jörg Weiß", "Łukasz Dvořák", "Ŷ 漢"))
    file = pdf(sheet, "de")
    assert b"/BaseFont /Helvetica" in file
    text = Drawn(file).text
    assert "Jörg Weiß, ?ukasz Dvorák, Y ?" in text
    assert "Montag bis Freitag – 8 bis 17 Uhr" in text
    assert "„bereit“" in text


@needs_dejavu
def test_with_dejavu_names_from_all_of_europe_are_there() -> None:
    sheet = replace(SHEET, administrators=("Łukasz Dvořák", "Ελένη", "Ђорђе"))
    assert "Łukasz Dvořák, Ελένη, Ђорђе" in Drawn(pdf(sheet, "de")).text


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_screen_reader_is_told_title_language_and_structure(language: str) -> None:
    drawn = Drawn(pdf(SHEET, language))
    title = texts.say(language, "handover.document", house=SHEET.house)
    assert b"/Title <feff%b>" % title.encode("utf-16-be").hex().encode() in drawn.file
    assert b"/Lang (%b)" % language.encode() in drawn.file
    assert b"/DisplayDocTitle true" in drawn.file
    assert b"/MarkInfo <</Marked true>>" in drawn.file
    assert b"/CreationDate (D:20260115143000Z)" in drawn.file
    kinds = [one.decode() for one in re.findall(rb"/S /(H1|H2|P|Figure)\n", drawn.file)]
    assert kinds.count("H1") == kinds.count("Figure") == 1
    assert kinds.count("H2") == 7
    assert re.findall(rb"/Alt \([^)]*sitzung\.moeckmuehl\.example/test\)", drawn.file)


def test_the_tags_are_those_of_the_page_and_all_that_is_drawn_is_in_one() -> None:
    drawn = Drawn(pdf(SHEET, "de"))
    inside = re.findall(rb"/(\w+) <</MCID (\d+)>> BDC", drawn.content)
    kinds = re.findall(rb"/S /(H1|H2|P|Figure)\n", drawn.file)
    assert [kind for kind, _ in inside] == kinds
    assert [int(number) for _, number in inside] == list(range(len(inside)))
    depth = 0
    for line in drawn.content.split(b"\n"):
        if line.endswith((b" BDC", b" BMC")):
            depth += 1
        elif line == b"EMC":
            depth -= 1
        elif re.search(rb" (Tj|re f|re S|l S)", line):
            assert depth == 1, line
    assert depth == 0


def test_the_same_sheet_is_the_same_file() -> None:
    assert pdf(SHEET, "de") == pdf(SHEET, "de")


@settings(max_examples=8, deadline=None)
@given(st.text(max_size=230), st.sampled_from(texts.LANGUAGES))
def test_whatever_people_enter_is_one_page(text: str, language: str) -> None:
    sheet = replace(
        full(text), host_name="ratssaal.example", addresses=(), test_room=SHEET.test_room
    )
    assert pdf(sheet, language).count(b"/Type /Page\n") == 1
