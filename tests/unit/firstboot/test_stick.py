"""To which stick the report for support goes: one that is meant for sure, or none."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firstboot import errands, stick, texts
from firstboot.install import disks
from firstboot.screen import anew, console, keys
from firstboot.texts import LANGUAGES, SaidError
from tests.unit.firstboot.screen.test_console import LINES, flowing, fullest
from tests.unit.firstboot.test_install import EMPTY, ESP, OLDER, STICK, WINDOWS, part, whole

pytestmark = pytest.mark.unit

FAT = part("sdd1", fstype="vfat", label="FOTOS", parttype="0xc")


def usb(*parts: dict[str, Any], name: str = "sdd", **more: Any) -> dict[str, Any]:
    entry = whole(name, *parts, **({"tran": "usb", "rm": True, "hotplug": True} | more))
    if not parts:
        del entry["children"]
    return entry


SOLD = usb(FAT)
EXFAT = usb(
    part("sde1", fstype="exfat", parttype="ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"), name="sde"
)


def chosen(
    *entries: dict[str, Any], esp: str = ESP, sysfs: Path = Path("/nowhere")
) -> stick.Volume:
    return stick.choose({"blockdevices": list(entries)}, esp, sysfs)


@pytest.mark.parametrize(
    ("entries", "path", "kind"),
    [
        ([SOLD], "/dev/sdd1", "vfat"),
        ([EXFAT], "/dev/sde1", "exfat"),
        ([usb(fstype="vfat")], "/dev/sdd", "vfat"),
        ([STICK, EMPTY, WINDOWS, OLDER, SOLD], "/dev/sdd1", "vfat"),
        # Beside a boot partition, as on a stick for installing something else.
        ([usb(part("sdd1", fstype="vfat", parttype=stick.ESP[0]), part("sdd2", fstype="exfat"))],
         "/dev/sdd2", "exfat"),
        # Ours is not meant, and the other one is there.
        ([usb(part("sdf2", parttype=disks.USR), part("sdf4", fstype="vfat"), name="sdf"), SOLD],
         "/dev/sdd1", "vfat"),
    ],
    ids=["FAT", "exFAT", "no table", "among disks", "beside a boot partition", "beside ours"],
)  # fmt: skip
def test_the_only_one_that_fits_is_taken(
    entries: list[dict[str, Any]], path: str, kind: str
) -> None:
    assert chosen(*entries) == stick.Volume(path, kind)


@pytest.mark.parametrize(
    ("entries", "key"),
    [
        ([], "none"),
        ([EMPTY, WINDOWS], "none"),
        # Inside of the box, and of the right kind.
        ([whole("sdb", part("sdb1", fstype="vfat"), tran="sata")], "none"),
        # From which the box runs, by the boot loader's word.
        ([STICK], "none"),
        ([usb(part("sdd1", fstype="vfat", mountpoints=["/mnt"]))], "none"),
        ([usb(part("sdd1", fstype="vfat"), part("sdd2") | {"children": [part("x", type="crypt")]})],
         "none"),
        # An empty slot of a reader.
        ([usb(size=0)], "none"),
        ([usb(part("sdd2", parttype=disks.USR), part("sdd4", fstype="vfat"))], "ours"),
        ([usb(fstype="vfat", label="RATSSAAL")], "ours"),
        ([usb()], "no_file_system"),
        ([usb(part("sdd1", fstype="ntfs"))], "no_file_system"),
        ([usb(part("sdd1", fstype="vfat", parttype=stick.ESP[0].upper()))], "no_file_system"),
        ([usb(part("sdd1", fstype="vfat", parttype="0xef"))], "no_file_system"),
        ([SOLD, EXFAT], "several"),
        ([usb(FAT, part("sdd2", fstype="vfat"))], "several"),
        ([usb(FAT, ro=True)], "read_only"),
        ([usb(part("sdd1", fstype="vfat", ro=True))], "read_only"),
    ],
)  # fmt: skip
def test_what_is_not_written_to_is_told(entries: list[dict[str, Any]], key: str) -> None:
    with pytest.raises(SaidError) as raised:
        chosen(*entries)
    assert raised.value.said.key == f"bundle.{key}"


def test_a_disk_that_the_box_runs_from_is_no_stick_where_the_boot_loader_says_nothing() -> None:
    usr = part("sda2", parttype=disks.USR) | {"children": [part("usr", type="crypt")]}
    with pytest.raises(SaidError, match=r"bundle\.none"):
        chosen(usb(part("sda1", fstype="vfat"), usr, name="sda"), esp="")


@pytest.mark.parametrize(("kind", "path"), [("SD", "/dev/mmcblk1p1"), ("MMC", "")])
def test_a_card_in_a_reader_is_a_stick_and_memory_on_the_board_is_none(
    tmp_path: Path, kind: str, path: str
) -> None:
    (tmp_path / "mmcblk1/device").mkdir(parents=True)
    (tmp_path / "mmcblk1/device/type").write_text(f"{kind}\n")
    card = whole("mmcblk1", part("mmcblk1p1", fstype="exfat"))
    if path:
        assert chosen(card, sysfs=tmp_path).path == path
        return
    with pytest.raises(SaidError, match=r"bundle\.none"):
        chosen(card, sysfs=tmp_path)


class Programs:
    """lsblk, mount, umount and systemctl, which leave their arguments; a folder is the stick."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.place = folder / "stick"
        self.notice = folder / "notice"
        self.bundle = folder / "bundle"
        self.place.mkdir()
        self.say("lsblk", f"cat {folder}/listing")
        self.say("mount", f'echo "$*" >>{folder}/mounted')
        self.say("umount", f'echo "$*" >>{folder}/unmounted')
        self.say(
            "systemctl", f"case $2 in ratssaal-support.service) echo packed >{self.bundle}; esac"
        )
        self.listing(SOLD)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        monkeypatch.setattr(stick, "PLACE", self.place)
        monkeypatch.setattr(keys, "NOTICE", str(self.notice))
        monkeypatch.setattr(errands.bundle, "__defaults__", (self.bundle,))

    def say(self, name: str, script: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / name).chmod(0o755)

    def listing(self, *entries: dict[str, Any]) -> None:
        (self.folder / "listing").write_text(json.dumps({"blockdevices": entries}))

    def read(self, name: str) -> str:
        file = self.folder / name
        return file.read_text() if file.exists() else ""

    def said(self) -> str:
        """The key of what stands on the screen afterwards."""
        assert stick.main() == 0
        return self.notice.read_text().partition(" ")[0]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def test_the_report_is_whole_under_its_name_and_the_screen_says_which(programs: Programs) -> None:
    assert programs.said() == "bundle.done"
    (file,) = programs.place.iterdir()
    assert file.read_text() == "packed\n"
    assert not programs.bundle.exists()
    mounted = programs.read("mounted").split()
    assert mounted[-2:] == ["/dev/sdd1", str(programs.place)]
    assert {"--rw", "vfat"} <= set(mounted)
    assert {"nosuid", "nodev", "noexec", "nosymfollow"} <= set(
        mounted[mounted.index("--options") + 1].split(",")
    )
    assert programs.read("unmounted").split() == [str(programs.place)]
    text = console.read(notice=programs.notice).text()
    assert f"Der Bericht ist auf dem Stick: {file.name}." in flowing(text)
    assert f"The report is on the stick: {file.name}." in flowing(text)


def test_a_stick_that_cannot_be_mounted_is_told_and_nothing_is_written(programs: Programs) -> None:
    programs.say("mount", "exit 32")
    assert programs.said() == "bundle.unreadable"
    assert list(programs.place.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "key"), [(errno.ENOSPC, "full"), (errno.EIO, "broken"), (errno.EROFS, "broken")]
)
def test_what_went_wrong_while_writing_is_told_and_the_stick_is_unmounted(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, number: int, key: str
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    # The notice is written whole, too.
    monkeypatch.setattr(anew, "write_whole", lambda file, text: file.write_text(text))
    assert programs.said() == f"bundle.{key}"
    assert list(programs.place.iterdir()) == []
    assert programs.read("unmounted")


def test_nobody_is_told_to_pull_a_stick_that_was_not_unmounted(programs: Programs) -> None:
    programs.say("umount", "exit 32")
    assert programs.said() == "bundle.broken"


def test_a_report_that_could_not_be_packed_is_told(programs: Programs) -> None:
    programs.say("systemctl", "case $1 in start) exit 1; esac")
    assert programs.said() == "admin.support_failed"
    assert programs.read("mounted") == ""


def test_a_stick_that_was_changed_meanwhile_is_looked_at_again(programs: Programs) -> None:
    ours = json.dumps({"blockdevices": [usb(fstype="vfat", label="RATSSAAL")]})
    (programs.folder / "ours").write_text(ours)
    change = f"cp {programs.folder}/ours {programs.folder}/listing; echo packed >{programs.bundle}"
    programs.say("systemctl", f"case $2 in ratssaal-support.service) {change}; esac")
    assert programs.said() == "bundle.ours"
    assert programs.read("mounted") == ""


@pytest.mark.parametrize("key", texts.topic("de", "bundle"))
def test_whatever_comes_of_it_fits_the_fullest_screen_in_both_languages(
    tmp_path: Path, key: str
) -> None:
    values = {"file": "ratssaal-20261128-093105.tar.gz"} if key == "done" else {}
    notice = tmp_path / "notice"
    notice.write_text(f"bundle.{key} {json.dumps(values)}\n")
    lines = console.read(notice=notice).notice
    text = replace(fullest("192.0.2.10"), notice=lines).text()
    assert len(text.splitlines()) <= LINES
    for language in LANGUAGES:
        assert texts.say(language, f"bundle.{key}", **values) in flowing(text)


def test_a_file_s_name_cannot_move_the_cursor(tmp_path: Path) -> None:
    notice = tmp_path / "notice"
    notice.write_text('bundle.done {"file": "a\\u001b[2J"}\n')
    assert "\x1b" not in console.read(notice=notice).text()
