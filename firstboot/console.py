"""Draws the box's screen: what it is, how to reach it and its state, in German and English.

`python3 -m firstboot.console TERMINAL ...` draws once on each terminal that exists.
"""

import datetime
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from firstboot import code, keys
from firstboot.code import Code
from firstboot.fingerprint import mark
from firstboot.image import image_version

ADDRESSES = Path("/run/ratssaal/address.json")
STATE = Path("/run/ratssaal/public/state.json")
SERVED = Path("/var/lib/ratssaal/tls")
APPLIED = Path("/var/lib/ratssaal/settings/applied.json")
# What is wrong with an answers file: a sentence in each language, one a line.
ANSWERS_ERROR = Path("/run/ratssaal/answers-error.txt")
# When the certificate for the public name ends, where that is near; firstboot.health writes it.
CERTIFICATE = Path("/run/ratssaal/certificate.json")
# UEFI Specification 2.10, section 3.3: four bytes of attributes, then 1 where it is on.
SECURE_BOOT = Path("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
MOUNTS = Path("/proc/self/mounts")
# White on black whatever the terminal's own colours are: a QR code is read by its dark modules.
CLEAR = "\x1b[0;37;40m\x1b[H\x1b[2J\x1b[3J"
# A terminal of 80 columns and 24 or 25 lines; what ends in column 80 makes some of them wrap.
COLUMNS = 79
LINES = 24
INDENT = " " * 12
# Those that a card gets for privacy alone (RFC 8981) may be many, and nobody types them.
MOST_ADDRESSES = 4
MOST_CARDS = 4


def _entry(label: str, text: str, columns: int = COLUMNS) -> list[str]:
    """`text` behind its label, in lines of at most `columns`."""
    return textwrap.wrap(
        text,
        columns,
        initial_indent=f"  {label:<10}",
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )


def _host(address: str) -> str:
    """An address as it stands in a URL (RFC 3986, section 3.2.2)."""
    return f"[{address}]" if ":" in address else address


def _sentences(names: tuple[str, ...]) -> list[str]:
    """The texts of these keys, German and then English; a key without a text is passed over.

    Those of the topic `console`, or `TOPIC.key`.
    """
    if not names:
        return []
    # Read with a library that whoever only wants the screen redrawn need not load.
    from firstboot.texts import LANGUAGES, say

    def known(language: str, name: str) -> str:
        try:
            return say(language, name if "." in name else f"console.{name}")
        except (KeyError, OSError):
            return ""

    return [
        " ".join(filter(None, (known(language, one) for one in names))) for language in LANGUAGES
    ]


@dataclass(frozen=True)
class Screen:
    """What the screen shows.

    primary: the address that guests are told. complete: whether the box is set up. answers: what
    is wrong with an answers file, in both languages. notice: keys of the texts in `console`.
    marks: of the certificate that browsers are shown before set-up, and of the box's own authority.
    certificate_end: of the certificate for the public name, where that is near.
    """

    version: str
    host_name: str
    addresses: tuple[str, ...]
    hardware: tuple[str, ...]
    ready: bool | None
    secure_boot: bool | None = None
    encrypted: bool | None = None
    primary: str = ""
    complete: bool = False
    code: Code | None = None
    answers: tuple[str, ...] = ()
    notice: tuple[str, ...] = ()
    marks: tuple[str, str] = ("", "")
    certificate_end: datetime.date | None = None
    certificate_ended: bool = False

    def state(self) -> tuple[str, str]:
        """The state in German and English."""
        if self.ready is None:
            return ("startet …", "starting …")
        if self.ready:
            return ("bereit", "ready")
        return (
            "gestört – bitte neu starten; hilft das nicht, die Betreuung rufen",
            "faulty - please restart; if that does not help, call your support",
        )

    def set_up_at(self) -> str | None:
        """The URL in the QR code; None where there is no network, or nothing left to set up."""
        if self.complete or not self.addresses:
            return None
        primary = self.primary if self.primary in self.addresses else self.addresses[0]
        return f"https://{_host(primary)}/"

    def protection(self) -> list[str]:
        """What guards start and disk, in German and English; nothing where nobody knows."""
        if self.secure_boot is None:
            return []
        german = "an" if self.secure_boot else "aus"
        english = "on" if self.secure_boot else "off"
        disk = ("verschlüsselt", "encrypted") if self.encrypted else ("offen", "not encrypted")
        return [
            *_entry("Schutz", f"Secure Boot {german}, Datenträger {disk[0]}"),
            *_entry("Guard", f"Secure Boot {english}, disk {disk[1]}"),
        ]

    def _reached(self) -> list[str]:
        """Names and addresses; each can be typed as it stands."""
        lines = _entry("Adresse", f"https://{self.host_name}") if self.host_name else []
        for one in self.addresses[:MOST_ADDRESSES]:
            lines += _entry("Address", f"https://{_host(one)}")
        if not self.addresses:
            lines += [
                "  Kein Netz: Bitte prüfen Sie, ob das Netzwerkkabel steckt.",
                "  No network: please check that the network cable is plugged in.",
            ]
        name = self.host_name or (_host(self.addresses[0]) if self.addresses else "")
        if self.complete and name:
            lines += _entry("Verwalten", f"https://{name}/admin/")
        return lines

    def _code(self) -> list[str]:
        """The code and what to do with it; nothing where no code opens anything."""
        if self.code is None:
            return []
        if self.code.shown:
            lines = _entry("Code", code.grouped(self.code.shown))
        else:
            lines = [
                *_entry("Code", "steht auf der Karte des Sticks"),
                *_entry("Code", "is on the stick's card"),
            ]
        if self.code.wrong:
            lines += _entry("Falsch", f"{self.code.wrong}-mal eingegeben · typed wrong")
        if self.complete:
            return [
                *lines,
                "  Unter /admin/ diesen Code eingeben",
                "  Type this code at /admin/",
            ]
        return [
            *lines,
            "  Adresse im Browser öffnen, Code eingeben",
            "  Open the address, then type the code",
        ]

    def _marks(self) -> list[str]:
        """By what the box's own certificates are known: to be compared with what a browser says."""
        if self.complete or not all(self.marks):
            return []
        return [
            f"  SHA-256   {one}   {whose}"
            for one, whose in zip(self.marks, ("Gerät · box", "Stelle · CA"), strict=True)
        ]

    def _certificate(self) -> list[str]:
        """That the certificate for the public name ends, in one line; what to do is there."""
        end = self.certificate_end
        if end is None:
            return []
        german, english = ("endete", "ended") if self.certificate_ended else ("endet", "ends")
        return [f"  Zertifikat {german} am {end:%d.%m.%Y} · certificate {english} {end}: /admin/"]

    def _keys(self) -> list[str]:
        """What firstboot.keys does at which letter."""
        new = "Zugang verloren · access lost" if self.complete else "neuer Code · new code"
        return [
            f"  Tasten    n  {new:<31}t  Selbsttest · self-test",
            f"  Keys      r  {'neu starten · restart':<31}s  ausschalten · shut down",
            "            a  Netz von Hand · network by hand",
        ]

    def _said(self) -> list[str]:
        """What is wrong with an answers file, and what a key has led to."""
        return [
            line
            for one in (*self.answers, *_sentences(self.notice))
            for line in textwrap.wrap(one, COLUMNS, initial_indent="  ", subsequent_indent="  ")
        ]

    def _page(self, drawing: list[str], protection: bool, gap: list[str]) -> list[str]:
        """All lines above the keys, however many, with `drawing` at the right."""
        columns = COLUMNS - len(drawing[0]) - 1 if drawing else COLUMNS
        german, english = self.state()
        titles = ["Der Konferenzserver Ihres Hauses", "Your house's own conferencing server"]
        head = [f"Ratssaal {self.version}", *(titles if drawing else [" · ".join(titles)])]
        sections = [
            [f"  {one}" for one in head],
            [
                *_entry("Zustand", german, columns),
                *_entry("State", english, columns),
                *self._certificate(),
            ],
            self._reached(),
            self._code(),
            _entry("Karte/MAC", " ".join(self.hardware[:MOST_CARDS]), columns) + self._marks(),
        ]
        beside: list[str] = []
        # Addresses that find no room beside the drawing: whole, so that they can be typed.
        below: list[str] = []
        for line in [line for section in sections if section for line in [*section, *gap]]:
            if not line.startswith(INDENT):
                place = beside if len(line) <= columns else below
            place.append(line)
        beside += [""] * (len(drawing) - len(beside))
        for row, modules in enumerate(drawing):
            beside[row] = f"{beside[row]:<{columns}} {modules}"
        while not beside[-1]:
            del beside[-1]
        below += self.protection() if protection else []
        said = self._said()
        return [*beside, *below, *([""] if said else []), *said, *gap]

    def text(self) -> str:
        """The screen: at most 24 lines of 79 columns. What does not fit is left out."""
        drawing: list[str] = []
        if url := self.set_up_at():
            # A library that only the screen before set-up needs, and every drawing would wait for.
            from firstboot.half_blocks import draw

            drawing = draw(url)
        offered = self._keys()
        room = LINES - len(offered)
        page: list[str] = []
        for shown, protection, gap in (
            (drawing, True, [""]),
            (drawing, True, []),
            (drawing, False, [""]),
            ([], True, [""]),
            ([], False, [""]),
            ([], False, []),
        ):
            page = self._page(shown, protection, gap)
            if len(page) <= room:
                break
        return "\n".join([*page[:room], *offered])


def _secure_boot(variable: Path = SECURE_BOOT) -> bool | None:
    """Whether the firmware verifies what starts; None where there is no such firmware."""
    try:
        return variable.read_bytes()[-1:] == b"\x01"
    except OSError:
        return None


def _root_is_encrypted(mounts: Path = MOUNTS) -> bool:
    """Whether / lies on an opened encrypted partition."""
    return any(line.startswith("/dev/mapper/root / ") for line in mounts.read_text().splitlines())


def _lines(file: Path) -> list[str]:
    """The lines of a file, without what could move the cursor; none where it cannot be read."""
    try:
        found = file.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return ["".join(one if one.isprintable() else " " for one in line) for line in found]


def read(
    addresses: Path = ADDRESSES,
    state: Path = STATE,
    *,
    code_file: Path = code.FILE,
    applied: Path = APPLIED,
    answers: Path = ANSWERS_ERROR,
    notice: Path = Path(keys.NOTICE),
    certificate: Path = CERTIFICATE,
    served: Path = SERVED,
) -> Screen:
    """Read what is known now; what is not known yet is left open."""
    found = json.loads(addresses.read_text()) if addresses.exists() else {}
    ready = json.loads(state.read_text())["ready"] if state.exists() else None
    complete = applied.exists()
    ending = json.loads(certificate.read_text()) if certificate.exists() else {}
    return Screen(
        version=image_version(),
        host_name=str(found.get("host_name", "")),
        addresses=tuple(found.get("all", ())),
        hardware=tuple(found.get("hardware", ())),
        ready=ready,
        secure_boot=_secure_boot(),
        encrypted=_root_is_encrypted(),
        primary=str(found.get("primary", "")),
        complete=complete,
        code=code.read(code_file),
        # Set up by hand since then, perhaps.
        answers=() if complete else tuple(_lines(answers)),
        notice=tuple(_lines(notice)),
        marks=("", "")
        if complete
        else (mark(served / "fullchain.pem"), mark(served / "authority.pem")),
        certificate_end=datetime.date.fromisoformat(ending["end"]) if ending else None,
        certificate_ended=bool(ending.get("ended")),
    )


def redraw() -> None:
    """Have the screen drawn anew. A drawing under way begins again, so no change is missed."""
    subprocess.run(["systemctl", *keys.REDRAW], check=False)


def main(terminals: list[str]) -> None:
    """Draw once on each terminal."""
    text = CLEAR + read().text()
    for name in terminals:
        try:
            descriptor = os.open(name, os.O_WRONLY | os.O_NOCTTY)
            with os.fdopen(descriptor, "wb") as terminal:
                terminal.write(text.encode())
        except OSError:
            # A box without this terminal, or one on which firstboot.terminal is alone.
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
