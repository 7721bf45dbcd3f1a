"""The repair start's screen: what is known of a box of which nothing is opened."""

import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from firstboot import firmware
from firstboot.install import disks
from firstboot.screen import keys, repair
from firstboot.screen.repair import Facts
from tests.unit.firstboot.screen.test_console import CARDS, LINES

pytestmark = pytest.mark.unit

COLUMNS = 79
ESP = "11111111-2222-3333-4444-555555555555"
FACTS = Facts(
    version="1.2.3",
    machine="Some Maker Model 3000",
    firmware="Some Vendor 1.10.0 02/03/2025",
    processors=8,
    memory=16,
    secure_boot=True,
    tpm=True,
    root="verschlüsselt · encrypted",
    disks=("SOLID 1000, 256 GB (nvme0n1): esp (vfat), ratssaal_1.2.3 (erofs) (*)",),
    cards=("enp1s0 52:54:00:52:53:00",),
)


def listing(*kinds: str | None, esp: str = ESP) -> dict[str, object]:
    """A disk as lsblk lists it, with an ESP and partitions labelled as root of these kinds."""
    root = [{"partlabel": "ratssaal-root", "fstype": kind, "partuuid": "r"} for kind in kinds]
    parts = [{"partlabel": "esp", "fstype": "vfat", "partuuid": esp}, *root]
    return {"blockdevices": [{"partuuid": None, "children": parts}]}


def test_it_fits_the_screen_whatever_there_is() -> None:
    disk = "SOLID STATE WITH A LONG NAME 1000, 256 GB (nvme0n1): esp (vfat), archive (ext4), " * 2
    longest = replace(
        FACTS,
        machine="A maker of computers with a long name, and a model whose name is no shorter, 3000",
        disks=(disk,) * 9,
        cards=tuple(f"enp{n}s0f1np1 {mac}" for n, mac in enumerate(CARDS * 3)),
    )
    notice = ("bundle.ours", 'bundle.done {"file": "ratssaal-20251126-101112.tar.gz"}')
    for facts in (FACTS, longest):
        for said in ((), notice[:1], notice):
            lines = repair.screen(facts, said).splitlines()
            assert len(lines) <= LINES
            assert max(map(len, lines)) <= COLUMNS
            assert "factory reset" in lines[-1]
            assert "restart" in lines[-2]
            if said == notice:
                assert any("101112.tar.gz" in line for line in lines)


def test_it_says_what_the_box_is_and_that_nothing_was_opened() -> None:
    text = repair.screen(FACTS)
    for words in (
        "Ratssaal 1.2.3 · Reparaturstart · repair start",
        "Some Maker Model 3000",
        "1.10.0 02/03/2025",
        "8 CPU, 16 GB RAM",
        "Secure Boot an · on, TPM 2",
        "Daten     verschlüsselt · encrypted",
        "SOLID 1000, 256 GB (nvme0n1)",
        "(*) davon gestartet · started from this one",
        "enp1s0 52:54:00:52:53:00",
    ):
        assert words in text
    without = repair.screen(replace(FACTS, tpm=False, secure_boot=None, cards=()))
    assert "Secure Boot unbekannt · unknown, ohne TPM · no TPM" in without
    assert "Karte/MAC keine · none" in without


@pytest.mark.parametrize(
    ("kinds", "esp", "said"),
    [
        (("crypto_LUKS",), ESP, "verschlüsselt · encrypted"),
        (("ext4",), ESP, "unverschlüsselt · not encrypted"),
        ((None,), ESP, "unlesbar · unreadable"),
        (("vfat",), ESP, "vfat?"),
        ((), ESP, "nicht gefunden · not found"),
        # That of another disk is not what this start would use.
        (("ext4",), ESP.replace("1", "9"), "nicht gefunden · not found"),
    ],
)
def test_what_is_where_the_data_belong(kinds: tuple[str | None], esp: str, said: str) -> None:
    assert repair.root(listing(*kinds, esp=esp), ESP) == said


def test_network_cards_are_those_with_a_device(tmp_path: Path) -> None:
    for name, device in (("lo", False), ("enp1s0", True), ("wg0", False)):
        (tmp_path / name / "device").mkdir(parents=True) if device else (tmp_path / name).mkdir()
        (tmp_path / name / "address").write_text(f"{name}-mac\n")
    assert repair.cards(tmp_path) == ("enp1s0 enp1s0-mac",)


def test_a_disk_that_cannot_be_listed_leaves_the_other_facts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hangs() -> None:
        raise subprocess.TimeoutExpired("lsblk", 1)

    monkeypatch.setattr(disks, "listing", hangs)
    found = repair.gather()
    assert (found.root, found.disks) == (repair.UNKNOWN, (repair.UNKNOWN,))
    assert found.memory > 0


def test_keys_know_a_repair_start_by_its_facts() -> None:
    assert Path(keys.REPAIR) == repair.FACTS


def test_facts_are_read_as_they_were_found(tmp_path: Path) -> None:
    file = tmp_path / "repair.json"
    assert repair.read(file) is None
    file.write_text(json.dumps(asdict(FACTS)))
    assert repair.read(file) == FACTS


def test_what_the_firmware_says(tmp_path: Path) -> None:
    variable, tpm = tmp_path / "SecureBoot", tmp_path / "tpm_version_major"
    assert firmware.secure_boot(variable) is None
    assert not firmware.has_tpm(tpm)
    for last, is_on in ((b"\x01", True), (b"\x00", False)):
        variable.write_bytes(b"\x06\x00\x00\x00" + last)
        assert firmware.secure_boot(variable) is is_on
    for major, is_there in (("2\n", True), ("1\n", False)):
        tpm.write_text(major)
        assert firmware.has_tpm(tpm) is is_there
    (tmp_path / "sys_vendor").write_text("Some  Maker\n")
    (tmp_path / "product_name").write_text("3000\n")
    assert firmware.named("sys_vendor", "absent", "product_name", folder=tmp_path) == (
        "Some Maker 3000"
    )
