"""The handover sheet: one page that the house keeps in a drawer for the day nobody remembers.

It says where the box is reached, whom to call, how to restart and to restore. What is secret is not
on it: no password, no code; the recovery key is written into a blank field by hand.
"""

import datetime
import ipaddress
import unicodedata
from bisect import bisect
from dataclasses import dataclass

from firstboot.paper import Page
from firstboot.texts import Said, say

LOCAL_NAME = "ratssaal.local"
# Points: the first at which everything is on one page. The last are for what nobody enters.
SIZES = (11.0, 10.5, 10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0)
MOST_CHARACTERS = 200  # of a name or a line
MOST_ADMINISTRATORS, MOST_ADDRESSES, MOST_LINES = 8, 8, 6
GROUPS = 8  # of a recovery key, eight letters each (systemd-cryptenroll(1), --recovery-key)


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

    def drawn(size: float) -> Page:
        page = Page(size)
        _draw(page, sheet, language)
        return page

    page = drawn(SIZES[0])
    if page.is_full:
        # Drawing is slow, and what fits in one size fits in all smaller ones.
        number = bisect(
            SIZES, False, lo=1, hi=len(SIZES) - 1, key=lambda one: not drawn(one).is_full
        )
        page = drawn(SIZES[number])
    return page.output(
        language,
        title=say(language, "handover.document", house=_clean(sheet.house)),
        author=_clean(sheet.house),
        creator=f"Ratssaal {_clean(sheet.version, 40)}",
        made=sheet.made,
    )


def _clean(text: str, most: int = MOST_CHARACTERS) -> str:
    """One line without characters that cannot be seen, cut to `most` characters."""
    spaced = " ".join(text.split())
    seen = "".join(one for one in spaced if not unicodedata.category(one).startswith("C"))
    return seen if len(seen) <= most else seen[: most - 1] + "…"


def url(address: str) -> str:
    """A bare address as a URL without a path; what is no address stays as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return f"https://[{parsed}]" if parsed.version == 6 else f"https://{parsed}"


def _draw(page: Page, sheet: Sheet, language: str) -> None:
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
        bare = [url(_clean(one)) for one in sheet.addresses[:MOST_ADDRESSES]]
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
