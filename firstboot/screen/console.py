"""Draws the box's screen: what it is, how to reach it and its state, in German and English.

`python3 -m firstboot.screen.console TERMINAL ...` draws once on each terminal that exists.
"""

import datetime
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from firstboot.access import code
from firstboot.access.code import Code
from firstboot.certificates.fingerprint import mark
from firstboot.firmware import has_tpm, secure_boot
from firstboot.image import image_version
from firstboot.install import state as install
from firstboot.install.disks import Started, started
from firstboot.screen import keys, repair
from firstboot.screen.anew import (
    ADDRESSES,
    ANSWERS_ERROR,
    APPLIED,
    CERTIFICATE,
    HEALTH,
    STATE,
    found_wrong,
)
from firstboot.screen.layout import (
    CLEAR,
    COLUMNS,
    INDENT,
    LINES,
    entry,
    lines_of,
    paragraphs,
    sentences,
)

SERVED = Path("/var/lib/ratssaal/tls")
LOCAL = "ratssaal.local"
MOUNTS = Path("/proc/self/mounts")
# Those that a card gets for privacy alone (RFC 8981) may be many, and nobody types them.
MOST_ADDRESSES = 4
MOST_CARDS = 4
# Lines for what is wrong: the rest is in the report that a key writes to a stick.
MOST_WRONG = 2


def _host(address: str) -> str:
    """An address as it stands in a URL (RFC 3986, section 3.2.2)."""
    return f"[{address}]" if ":" in address else address


@dataclass(frozen=True)
class Screen:
    """What the screen shows.

    primary: the address that guests are told. complete: whether the box is set up; named: whether
    it has a certificate for its name, which then leads here as far as anybody knows. answers: what
    is wrong with an answers file, in both languages. notice: keys of the texts in `console`.
    marks: of the certificate that browsers are shown before set-up, and of the box's own authority.
    certificate_end: of the certificate for the public name, where that is near. start: from what
    the box was started, where the boot loader says so. installing: whether nothing more may be
    installed, since that is under way. tpm: whether there is a TPM, used or not. wrong: what makes
    the box faulty, for whoever is called then: units and addresses, and what is the matter.
    """

    version: str
    host_name: str
    addresses: tuple[str, ...]
    hardware: tuple[str, ...]
    ready: bool | None
    secure_boot: bool | None = None
    encrypted: bool | None = None
    tpm: bool = False
    primary: str = ""
    complete: bool = False
    named: bool = False
    code: Code | None = None
    answers: tuple[str, ...] = ()
    notice: tuple[str, ...] = ()
    marks: tuple[str, str] = ("", "")
    certificate_end: datetime.date | None = None
    certificate_ended: bool = False
    start: Started | None = None
    installing: bool = False
    wrong: tuple[str, ...] = ()

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
        return f"https://{self._bare()}/"

    def _bare(self) -> str:
        """The address that works whatever is known of names; empty without a network."""
        if not self.addresses:
            return ""
        return _host(self.primary if self.primary in self.addresses else self.addresses[0])

    def protection(self) -> list[str]:
        """What guards start and disk, in German and English; nothing where nobody knows."""
        if self.secure_boot is None:
            return []
        german = "an" if self.secure_boot else "aus"
        english = "on" if self.secure_boot else "off"
        disk = ("verschlüsselt (TPM)", "encrypted (TPM)")
        if not self.encrypted:
            disk = ("offen (ohne TPM)", "not encrypted (without TPM)")
            if self.tpm:
                disk = ("offen (TPM ungenutzt)", "not encrypted (TPM unused)")
        start = ("", "")
        if self.start:
            model = self.start.model
            start = (", vom Stick", ", from the stick")
            start = start if self.start.stick else (f", von {model}", f", from {model}")
        return [
            *entry("Schutz", f"Secure Boot {german}, Datenträger {disk[0]}{start[0]}"),
            *entry("Guard", f"Secure Boot {english}, disk {disk[1]}{start[1]}"),
        ]

    def _reached(self) -> list[str]:
        """Names and addresses; each can be typed as it stands."""
        lines = entry("Adresse", f"https://{self.host_name}") if self.host_name else []
        # Nobody may have entered the public name yet.
        waits = self.complete and not self.named and self.host_name not in ("", LOCAL)
        if waits:
            lines += entry("Adresse", f"https://{LOCAL}")
        for one in self.addresses[:MOST_ADDRESSES]:
            lines += entry("Address", f"https://{_host(one)}")
        if not self.addresses:
            lines += [
                "  Kein Netz: Bitte prüfen Sie, ob das Netzwerkkabel steckt.",
                "  No network: please check that the network cable is plugged in.",
            ]
        name = (self._bare() or LOCAL) if waits else self.host_name or self._bare()
        if self.complete and name:
            lines += entry("Verwalten", f"https://{name}/admin/")
        return lines

    def _code(self) -> list[str]:
        """The code and what to do with it; nothing where no code opens anything."""
        if self.code is None:
            return []
        if self.code.shown:
            lines = entry("Code", code.grouped(self.code.shown))
        else:
            lines = [
                *entry("Code", "steht auf der Karte des Sticks"),
                *entry("Code", "is on the stick's card"),
            ]
        if self.code.wrong:
            lines += entry("Falsch", f"{self.code.wrong}-mal eingegeben · typed wrong")
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

    def _wrong(self, columns: int) -> list[str]:
        """What makes the box faulty, in systemd's words: for the support, in any language."""
        if self.ready is not False:
            return []
        return entry("Defekt", ", ".join(self.wrong), columns)[:MOST_WRONG]

    def _certificate(self) -> list[str]:
        """That the certificate for the public name ends, in one line; what to do is there."""
        end = self.certificate_end
        if end is None:
            return []
        german, english = ("endete", "ended") if self.certificate_ended else ("endet", "ends")
        return [f"  Zertifikat {german} am {end:%d.%m.%Y} · certificate {english} {end}: /admin/"]

    def _keys(self) -> list[str]:
        """What firstboot.screen.keys does at which letter."""
        offered = self.start and self.start.stick and not self.installing
        install = "d  installieren · install on disk" if offered else ""
        new = "Zugang verloren · access lost" if self.complete else "neuer Code · new code"
        return [
            f"  Tasten    n  {new:<32}t  Selbsttest · self-test",
            f"  Keys      r  {'neu starten · restart':<32}s  ausschalten · shut down",
            f"            a  {'Netz von Hand · set network':<32}w  zurücksetzen · factory reset",
            f"            b  {'Bericht auf Stick · save report':<32}{install}".rstrip(),
        ]

    def _said(self) -> list[str]:
        """What is wrong with an answers file, and what a key has led to."""
        return paragraphs((*self.answers, *sentences(self.notice)))

    def _page(self, drawing: list[str], protection: bool, gap: list[str]) -> list[str]:
        """All lines above the keys, however many, with `drawing` at the right."""
        columns = COLUMNS - len(drawing[0]) - 1 if drawing else COLUMNS
        german, english = self.state()
        titles = ["Der Konferenzserver Ihres Hauses", "Your house's own conferencing server"]
        head = [f"Ratssaal {self.version}", *(titles if drawing else [" · ".join(titles)])]
        sections = [
            [f"  {one}" for one in head],
            [
                *entry("Zustand", german, columns),
                *entry("State", english, columns),
                *self._wrong(columns),
                *self._certificate(),
            ],
            self._reached(),
            self._code(),
            entry("Karte/MAC", " ".join(self.hardware[:MOST_CARDS]), columns) + self._marks(),
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
            from firstboot.screen.half_blocks import draw

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


def root_is_encrypted(mounts: Path = MOUNTS) -> bool:
    """Whether / lies on an opened encrypted partition."""
    return any(line.startswith("/dev/mapper/root / ") for line in mounts.read_text().splitlines())


def _installation(file: Path) -> list[str]:
    """How far an installation is, in both languages; nothing where none was asked for."""
    state = install.read(file)
    if state is None:
        return []
    # As above: a library that whoever only wants the screen redrawn need not load.
    from firstboot.texts import LANGUAGES

    return [" ".join(one.text(lang) for one in state.sentences()) for lang in LANGUAGES]


def _wrong(health: Path) -> tuple[str, ...]:
    """What the box found wrong at its last look, each as `nginx: is failed`."""
    found = found_wrong(health) or {}
    return tuple(f"{name.removesuffix('.service')}: {reason}" for name, reason in found.items())


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
    installation: Path = install.FILE,
    health: Path = HEALTH,
) -> Screen:
    """Read what is known now; what is not known yet is left open."""
    found = json.loads(addresses.read_text()) if addresses.exists() else {}
    ready = json.loads(state.read_text())["ready"] if state.exists() else None
    complete = applied.exists()
    # As text: without the store's libraries, and a broken file keeps no screen from being drawn.
    named = complete and '"named": true' in applied.read_text(errors="replace")
    ending = json.loads(certificate.read_text()) if certificate.exists() else {}
    asked = install.read(installation)
    installing = bool(asked and asked.under_way)
    return Screen(
        version=image_version(),
        host_name=str(found.get("host_name", "")),
        addresses=tuple(found.get("all", ())),
        hardware=tuple(found.get("hardware", ())),
        ready=ready,
        secure_boot=secure_boot(),
        encrypted=root_is_encrypted(),
        tpm=has_tpm(),
        primary=str(found.get("primary", "")),
        complete=complete,
        named=named,
        code=code.read(code_file),
        # Set up by hand since then, perhaps; or somebody has gone on from what stood there.
        answers=(
            *_installation(installation),
            *(() if complete or installing else lines_of(answers)),
        ),
        notice=tuple(lines_of(notice)),
        marks=("", "")
        if complete
        else (mark(served / "fullchain.pem"), mark(served / "authority.pem")),
        certificate_end=datetime.date.fromisoformat(ending["end"]) if ending else None,
        certificate_ended=bool(ending.get("ended")),
        start=started(),
        installing=installing,
        wrong=_wrong(health),
    )


def main(terminals: list[str]) -> None:
    """Draw once on each terminal."""
    found = repair.read()
    shown = repair.screen(found, tuple(lines_of(Path(keys.NOTICE)))) if found else read().text()
    text = CLEAR + shown
    for name in terminals:
        try:
            descriptor = os.open(name, os.O_WRONLY | os.O_NOCTTY)
            with os.fdopen(descriptor, "wb") as terminal:
                terminal.write(text.encode())
        except OSError:
            # A box without this terminal, or one on which firstboot.screen.terminal is alone.
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
