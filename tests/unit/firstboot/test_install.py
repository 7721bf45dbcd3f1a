"""Which disk a box may be installed on, and which one somebody means: nothing is guessed."""

import subprocess
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from pydantic import ValidationError

from firstboot.install import checking, choice, disks, forget, state, telling
from firstboot.install.disks import Disk
from firstboot.install.telling import Telling
from firstboot.settings import InstallDisk
from firstboot.texts import LANGUAGES, Said, SaidError

pytestmark = pytest.mark.unit

ESP = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
GB = 10**9


def part(name: str, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "kname": name, "path": f"/dev/{name}", "type": "part", "rm": False, "ro": False,
        "hotplug": False, "tran": None, "model": None, "serial": None, "size": GB, "fstype": None,
        "label": None, "partlabel": None, "parttype": None, "partuuid": None, "mountpoints": [None],
    }  # fmt: skip
    return usual | more


def whole(name: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    usual = {"type": "disk", "size": 500 * GB, "model": "Good  Disk", "serial": "S-1"}
    return part(name, **(usual | more)) | {"children": list(parts)}


STICK = whole(
    "sda", part("sda1", partuuid=ESP, fstype="vfat", label="ESP", mountpoints=["/boot"]),
    part("sda2", partuuid="2", parttype=disks.USR, partlabel="ratssaal_0.1.0", fstype="erofs"),
    tran="usb", rm=True, hotplug=True, model="Stick", size=8 * GB,
)  # fmt: skip
EMPTY = whole("nvme0n1")
WINDOWS = whole("sdb", part("sdb1", fstype="ntfs", label="Windows"), tran="sata", serial="S-2")
OLDER = whole(
    "sdc", part("sdc1", partuuid=OTHER, fstype="vfat", partlabel="esp"),
    part("sdc2", parttype=disks.USR, partlabel="ratssaal_0.0.9", fstype="erofs"),
    part("sdc3", partlabel=disks.ROOT_LABEL, fstype="crypto_LUKS"), serial="S-3",
)  # fmt: skip


def known(*entries: dict[str, Any], sysfs: Path = Path("/nowhere")) -> list[Disk]:
    return disks.parse({"blockdevices": list(entries)}, ESP, sysfs)


def test_what_is_on_a_disk_and_from_which_one_the_box_runs() -> None:
    stick, empty, windows, older = known(STICK, EMPTY, WINDOWS, OLDER)
    assert stick.started
    assert stick.pluggable
    assert disks.from_stick([stick, empty])
    assert not disks.from_stick([empty, windows])
    assert (empty.content, empty.version) == ((), "")
    assert windows.content == ("Windows (ntfs)",)
    assert (older.version, older.kept) == ("0.0.9", True)
    assert (stick.version, stick.kept) == ("0.1.0", False)


def test_one_model_is_a_name_and_two_of_it_are_told_apart_by_their_serial_numbers() -> None:
    assert known(STICK, EMPTY)[1].title == "Good Disk, 500 GB (nvme0n1)"
    # A stick is not chosen from: QEMU calls one as it calls its disks.
    assert known(whole("sda", part("sda1", partuuid=ESP), tran="usb"), EMPTY)[1].name == "Good Disk"
    _, empty, windows = known(STICK, EMPTY, WINDOWS)
    assert (empty.name, windows.name) == ("Good Disk S-1", "Good Disk S-2")
    assert not choice.named(empty, windows.name)
    assert not choice.named(empty, "Good Disk")


def test_a_partition_of_which_nothing_is_known_is_not_nothing() -> None:
    assert known(whole("sdd", part("sdd1")))[0].content == ("sdd1",)


def test_memory_on_the_board_is_a_disk_and_a_card_in_a_reader_is_none(tmp_path: Path) -> None:
    for name, kind in (("mmcblk0", "MMC"), ("mmcblk1", "SD")):
        (tmp_path / name / "device").mkdir(parents=True)
        (tmp_path / name / "device/type").write_text(f"{kind}\n")
        (tmp_path / name / "device/name").write_text("DG4016\n")
    board, card = known(
        whole("mmcblk0", model=None, hotplug=True), whole("mmcblk1", model=None, hotplug=True),
        whole("mmcblk0boot0", size=4 * 2**20), sysfs=tmp_path,
    )  # fmt: skip
    assert (board.pluggable, board.model) == (False, "DG4016")
    assert card.pluggable


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (STICK, "install.running"),
        (whole("sdd", tran="usb"), "install.pluggable"),
        (whole("sdd", ro=True), "install.read_only"),
        (whole("sdd", size=choice.NEEDED - 512), "install.too_small"),
        (whole("sdd", part("sdd1", mountpoints=["/mnt"])), "install.in_use"),
        (whole("sdd", part("md0", type="raid1")), "install.in_use"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_refused_says_why_in_both_languages(entry: dict[str, Any], key: str) -> None:
    said = choice.refusal(known(entry)[0])
    assert said is not None
    assert said.key == key
    assert all(said.text(language) for language in LANGUAGES)


def test_a_disk_that_is_just_large_enough_is_not_refused() -> None:
    assert choice.refusal(known(whole("sdd", size=choice.NEEDED))[0]) is None


def blank(path: str) -> bool:
    assert path.startswith("/dev/")
    return False


def test_what_lies_bare_on_a_disk_is_overwritten_by_its_name_alone(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(disks.BEGINNING_BYTES - 1) + b"x")
    assert disks.written(str(disk))
    assert disks.written(str(tmp_path / "gone"))
    disk.write_bytes(bytes(2 * disks.BEGINNING_BYTES))
    assert not disks.written(str(disk))
    entries = known(STICK, EMPTY)
    for wanted in ({"only": True}, {"size": 500}):
        with pytest.raises(SaidError) as raised:
            choice.by_answers(entries, InstallDisk.model_validate(wanted), lambda _: True)
        assert raised.value.said.key == "install.has_data"
    by_name = InstallDisk.model_validate({"serial": "S-1"})
    assert choice.by_answers(entries, by_name, lambda _: True).path == "/dev/nvme0n1"


def test_a_stick_and_a_disk_with_the_same_image_are_no_source() -> None:
    """The raw image written to the disk inside: which of the two runs, nobody can tell."""
    twin = whole("sdc", part("sdc1", partuuid=ESP, fstype="vfat"), serial="S-3")
    assert choice.source(known(STICK, EMPTY)) is None
    said = choice.source(known(STICK, twin, EMPTY))
    assert said is not None
    assert said.key == "install.twins"
    assert all("(sda)" in said.text(one) and "(sdc)" in said.text(one) for one in LANGUAGES)
    installed = choice.source(known(twin, EMPTY))
    assert installed is not None
    assert installed.key == "install.not_from_stick"


@pytest.mark.parametrize(
    ("there", "here", "refused"),
    [("0.2.0", "0.1.0", True), ("0.10.0", "0.9.1", True), ("0.1.0", "0.1.0", False),
     ("0.1.0", "0.2", False), ("?", "0.1.0", False)],
)  # fmt: skip
def test_a_newer_ratssaal_is_not_repaired_with_an_older_stick(
    there: str, here: str, refused: bool
) -> None:
    said = choice.too_old(Disk("/dev/sda", 1, version=there, kept=True), here)
    assert (said is not None) is refused
    assert said is None or all(there in said.text(one) for one in LANGUAGES)


def test_the_boot_partition_is_compared_byte_by_byte(tmp_path: Path) -> None:
    """The kernel image may have been called good meanwhile, which takes the count off its name."""
    boot, copied = tmp_path / "boot", tmp_path / "copied"
    for folder, name in ((boot, "ratssaal_1.efi"), (copied, "ratssaal_1+2-1.efi")):
        (folder / "EFI/Linux").mkdir(parents=True)
        (folder / "EFI/Linux" / name).write_bytes(b"kernel")
    (boot / "ratssaal-reset").touch()
    assert checking.same_files(copied, boot)
    (boot / "loader.conf").write_text("timeout 0\n")
    assert not checking.same_files(copied, boot)
    (copied / "loader.conf").write_text("timeout 9\n")
    assert not checking.same_files(copied, boot)


def test_a_name_is_typed_on_either_keyboard_and_nothing_else_passes_for_it() -> None:
    disk = Disk("/dev/sda", 1, model="SAMSUNG MZ-VL2512 Y")
    assert choice.named(disk, "samsung my vl2512z")
    assert not choice.named(disk, "samsung")
    assert not choice.named(disk, "")
    assert not choice.named(Disk("/dev/sda", 1, model="--"), "")


@pytest.mark.parametrize(
    ("wanted", "entries", "found"),
    [
        ({"only": True}, [STICK, EMPTY], "nvme0n1"),
        ({"serial": "S-1"}, [STICK, EMPTY, WINDOWS], "nvme0n1"),
        ({"model": "good disk", "serial": "S-2"}, [STICK, EMPTY, WINDOWS], "sdb"),
        ({"size": 500}, [STICK, EMPTY], "nvme0n1"),
        ({"size": 500}, [STICK, EMPTY, WINDOWS], "install.several_fit"),
        ({"model": "Good Disk"}, [STICK, EMPTY, WINDOWS], "install.several_fit"),
        ({"only": True}, [STICK, EMPTY, WINDOWS], "install.several_fit"),
        ({"serial": "s-1"}, [STICK, EMPTY], "install.none_fits"),
        ({"only": True}, [STICK], "install.none_fits"),
        ({"model": "Stick"}, [STICK, EMPTY], "install.none_fits"),
        ({"only": True}, [STICK, WINDOWS], "install.has_data"),
        ({"size": 500}, [STICK, WINDOWS], "install.has_data"),
        ({"serial": "S-3"}, [STICK, OLDER], "install.has_ratssaal"),
        ({"only": True}, [STICK, whole("sdd", size=GB)], "install.too_small"),
    ],
)
def test_answers_name_one_disk_or_nothing_is_written(
    wanted: dict[str, Any], entries: list[dict[str, Any]], found: str
) -> None:
    named = InstallDisk.model_validate(wanted)
    if not found.startswith("install."):
        assert choice.by_answers(known(*entries), named, blank).path == f"/dev/{found}"
        return
    with pytest.raises(SaidError) as raised:
        choice.by_answers(known(*entries), named, blank)
    assert raised.value.said.key == found
    assert all(raised.value.said.text(language) for language in LANGUAGES)


@pytest.mark.parametrize("nothing", [{}, {"serial": ""}, {"only": False, "size": 0}])
def test_answers_that_name_no_disk_are_none(nothing: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InstallDisk.model_validate(nothing)


def test_a_disk_that_has_changed_since_it_was_chosen_is_not_written() -> None:
    chosen = known(STICK, EMPTY)[1].identity
    assert choice.again(known(STICK, EMPTY), chosen).path == "/dev/nvme0n1"
    for other in (
        whole("nvme0n1", serial="S-9"),
        whole("nvme0n1", part("nvme0n1p1", fstype="xfs")),
    ):
        with pytest.raises(SaidError, match=r"install\.changed"):
            choice.again(known(STICK, other), chosen)
    before, mounted = (
        whole("nvme0n1", part("nvme0n1p1", mountpoints=places)) for places in ([None], ["/mnt"])
    )
    with pytest.raises(SaidError, match=r"install\.in_use"):
        choice.again(known(STICK, mounted), known(STICK, before)[1].identity)


def test_how_far_it_is_comes_through_the_file_as_it_went_in(tmp_path: Path) -> None:
    file = tmp_path / "install.json"
    assert state.read(file) is None
    for one in (
        state.State("copying", 41, "Good Disk"),
        state.State("failed", 0, "Good Disk", "stick", Said("install.changed")),
        state.State("done", 100, "Good Disk", "restart", Said("install.no_entry")),
    ):
        one.write(file)
        assert state.read(file) == one
        assert all(said.text(language) for said in one.sentences() for language in LANGUAGES)


def test_before_anything_is_copied_the_disk_is_being_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which may take minutes; the screen is drawn anew once copying begins, and at each tenth."""
    drawn: list[str] = []
    monkeypatch.setattr(state, "FILE", tmp_path / "install.json")
    monkeypatch.setattr(state.State.write, "__defaults__", (tmp_path / "install.json",))

    def redraw() -> None:
        last = state.read(tmp_path / "install.json")
        assert last
        drawn.extend(one.text("en").split(":")[1].split(".")[0] for one in last.sentences())

    monkeypatch.setattr(telling, "redraw", redraw)
    how = Telling(Disk("/dev/d", 1, "Good Disk"), state.Request({}))
    for percent in (0, 0, 1, 2, 9, 10, 11):
        how.say("copying", percent)
    assert drawn == [" preparing the disk", " copied 1 per cent", " copied 10 per cent"]


def test_only_what_the_installation_brought_to_this_disk_is_wiped(tmp_path: Path) -> None:
    brought = part("sdc6", parttype=forget.BROUGHT, fstype="vfat", label="RATSSAAL")
    here = {**OLDER, "children": [*OLDER["children"], brought]}
    stick = whole("sda", part("sda1", fstype="vfat", label="RATSSAAL", parttype="ebd0"), tran="usb")
    listing = {"blockdevices": [stick, here, EMPTY]}
    assert list(forget.partitions(listing, OTHER)) == ["/dev/sdc6"]
    assert list(forget.partitions(listing, ESP)) == []
    file = tmp_path / "partition"
    file.write_bytes(b"secret" * 300_000)
    forget.overwrite(str(file))
    assert file.read_bytes() == bytes(1_800_000)


def test_the_type_of_what_was_brought_is_the_one_that_repart_writes() -> None:
    folder = Path(__file__).resolve().parents[3] / "overlays/update/usr/lib/ratssaal/install"
    assert f"Type={forget.BROUGHT}\n" in (folder / "brought/30-brought.conf").read_text()


def test_an_installation_that_was_ended_meanwhile_has_failed_and_one_that_is_over_has_not(
    tmp_path: Path,
) -> None:
    file = tmp_path / "install.json"
    assert not state.broken_off(file)
    stages: list[tuple[state.Stage, bool]] = [
        ("copying", True), ("checking", True), ("done", False), ("failed", False)
    ]  # fmt: skip
    for stage, fails in stages:
        state.State(stage, 41, "Good Disk").write(file)
        assert state.broken_off(file) is fails
        after = state.read(file)
        assert after is not None
        assert after.stage == ("failed" if fails else stage)
        if fails:
            assert "Good Disk" in after.sentences()[0].text("en")


def test_devices_that_are_away_for_a_moment_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "TICK_SECONDS", 0.01)
    late = tmp_path / "p3"
    Timer(0.1, late.touch).start()
    with checking.held([str(late)]):
        assert late.exists()
    monkeypatch.setattr(checking, "DEVICE_SECONDS", 0.05)
    with pytest.raises(FileNotFoundError), checking.held([str(tmp_path / "p4")]):
        pass


@pytest.mark.parametrize(
    ("way", "wiped"), [("repair", ["/dev/p1", "/dev/p3"]), ("anew", ["/dev/d"])]
)
def test_a_copy_that_cannot_be_read_is_wiped_and_of_a_repair_the_table_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: state.Way, wiped: list[str]
) -> None:
    monkeypatch.setattr(checking, "DEVICE_SECONDS", 0)
    called: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: called.append(command))
    made = {"10-usr-verity-a.conf": "/dev/p1", "11-usr-a.conf": "/dev/p3"}
    how = Telling(Disk("/dev/d", 1), state.Request({}, way))
    with pytest.raises(FileNotFoundError):
        checking.check(how, made, way)
    assert called == [["wipefs", "--all", "--force", "--quiet", *wiped]]
