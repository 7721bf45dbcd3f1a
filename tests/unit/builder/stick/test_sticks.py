"""Which disks count as sticks, from what lsblk says of them, and why one is refused."""

import copy
from pathlib import Path
from typing import Any

import pytest

from builder.errors import DeviceError, RatssaalError, UsageError
from builder.progress import console
from builder.stick import consent, sticks
from builder.stick.sticks import Disk
from tests.unit.builder.sticks_of import LOOPS, MIB, loop

pytestmark = pytest.mark.unit

GB = 10**9


def entry(name: str, /, **more: Any) -> dict[str, Any]:
    """A device in the form of `lsblk --json --bytes` (util-linux 2.38)."""
    minor = sum(name.encode())
    return {
        "name": name,
        "kname": name,
        "path": f"/dev/{name}",
        "maj:min": f"  8:{minor}",
        "type": "disk",
        "rm": False,
        "hotplug": False,
        "ro": False,
        "tran": None,
        "vendor": None,
        "model": None,
        "serial": None,
        "size": 32 * GB,
        "log-sec": 512,
        "label": None,
        "partlabel": None,
        "fstype": None,
        "mountpoints": [None],
        **more,
    }


def part(name: str, **more: Any) -> dict[str, Any]:
    return entry(name, **{"type": "part", **more})


def stick(name: str = "sdb", **more: Any) -> dict[str, Any]:
    facts = {"rm": True, "hotplug": True, "tran": "usb", "vendor": "SanDisk "}
    return entry(name, **{**facts, "model": "Ultra Fit", "serial": "4C530001", **more})


SYSTEM = entry(
    "nvme0n1",
    tran="nvme",
    model="Samsung 990",
    children=[
        part("nvme0n1p1", fstype="vfat", mountpoints=["/boot/efi"]),
        part(
            "nvme0n1p2",
            fstype="crypto_LUKS",
            children=[entry("dm-0", name="root", type="crypt", mountpoints=["/"])],
        ),
    ],
)


def parsed(*entries: dict[str, Any], soldered: bool = False) -> list[Disk]:
    return sticks.parse({"blockdevices": copy.deepcopy(list(entries))}, lambda _: soldered)


def refused(*entries: dict[str, Any], needed: int = GB, at: int = 0) -> RatssaalError | None:
    return sticks.refusal(parsed(*entries)[at], needed)


def candidates(*entries: dict[str, Any], soldered: bool = False) -> list[str]:
    return [one.path.name for one in parsed(*entries, soldered=soldered) if one.candidate]


def test_usb_sticks_and_cards_are_candidates_and_nothing_else_is() -> None:
    known = (
        SYSTEM,
        stick("sdb"),
        # A stick that speaks UAS, and a disk in a USB box, do not call themselves removable.
        stick("sdc", rm=False),
        entry("mmcblk0", hotplug=True, tran="mmc"),
        # A server shows its internal disks in bays as removable.
        entry("sda", rm=True, hotplug=True, tran="sata"),
        entry("sr0", rm=True, hotplug=True, tran="usb", type="rom"),
        entry("loop0", type="loop"),
        entry("zram0", size=0),
        # A card reader without a card.
        stick("sdd", size=0),
        # A module on the board, at an internal port.
        stick("sde", rm=False, hotplug=False),
    )
    assert candidates(*known) == ["sdb", "sdc", "mmcblk0"]


def test_memory_on_the_board_is_no_card() -> None:
    assert candidates(entry("mmcblk0", hotplug=True), soldered=True) == []
    assert sticks._soldered("mmcblk-that-is-not-there")


def test_a_stick_that_this_machine_runs_from_is_no_candidate() -> None:
    root = stick(children=[part("sdb1", fstype="ext4", mountpoints=["/"])])
    assert candidates(root) == []
    error = refused(root)
    assert isinstance(error, UsageError)
    assert "runs from" in error.message


def test_a_disk_is_described_by_maker_model_serial_size_and_what_is_on_it() -> None:
    one = parsed(
        stick(
            children=[
                part("sdb1", fstype="vfat", label="FOTOS", partlabel="x"),
                part("sdb2", partlabel="data"),
                part("sdb3", fstype="ext4"),
            ]
        )
    )[0]
    assert one.title == "SanDisk Ultra Fit (/dev/sdb, 32.0 GB)"
    assert one.serial == "4C530001"
    assert one.content == ("FOTOS (vfat)", "data", "(ext4)")
    assert one.number == f"8:{sum(b'sdb')}"


def test_a_label_does_not_steer_the_terminal() -> None:
    one = parsed(stick(model="a\x1b[2Jb\u202e", children=[part("sdb1", label="\x07")]))[0]
    assert (one.model, one.content) == ("a?[2Jb?", ("?",))


@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        (SYSTEM, UsageError, "runs from"),
        (entry("sda", tran="sata", rm=True), UsageError, "neither a USB stick nor"),
        (entry("loop0", type="loop"), UsageError, "neither a USB stick nor"),
        (stick(mountpoints=["/media/x"]), DeviceError, "mounted at /media/x"),
        (stick(children=[part("sdb1", mountpoints=["/mnt"])]), DeviceError, "mounted at /mnt"),
        (stick(children=[part("sdb1", mountpoints=["[SWAP]"])]), DeviceError, "swaps"),
        (
            stick(children=[part("sdb1", children=[entry("dm-1", name="vg-lv", type="lvm")])]),
            DeviceError,
            r"in use by vg-lv \(lvm\)",
        ),
        (stick(children=[entry("md0", type="raid1")]), DeviceError, r"in use by md0 \(raid1\)"),
        (stick(ro=True), DeviceError, "write-protected"),
        (stick(size=GB - 512), DeviceError, "999999488 bytes; the image needs 1000000000"),
        ({**stick(), "log-sec": 4096}, DeviceError, "sectors of 4096"),
    ],
)
def test_each_reason_is_a_sentence_and_says_what_to_do(
    found: dict[str, Any], kind: type[RatssaalError], words: str
) -> None:
    error = refused(found)
    assert type(error) is kind
    with pytest.raises(kind, match=words):
        raise error
    assert error.hint
    assert error.exit_code == (2 if kind is UsageError else 1)


def test_a_partition_is_refused_and_its_stick_named() -> None:
    error = refused(stick(children=[part("sdb1")]), at=1)
    assert error
    assert "/dev/sdb1 is a part of /dev/sdb; an image takes a whole stick" in error.message


def test_a_logical_volume_is_refused_as_a_part_of_its_disk() -> None:
    error = refused(SYSTEM, at=3)
    assert isinstance(error, UsageError)
    assert "/dev/dm-0 is a part of /dev/nvme0n1" in error.message


def test_nothing_speaks_against_a_free_stick_of_just_the_size() -> None:
    assert refused(stick(size=GB)) is None


def test_only_a_caller_in_python_may_take_a_loop_device() -> None:
    disk = parsed(entry("loop0", type="loop"))[0]
    assert sticks.refusal(disk, GB)
    assert sticks.refusal(disk, GB, loops=True) is None


def test_what_is_no_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="no device"):
        sticks.find(tmp_path / "nothing", [])
    for place in (tmp_path / "file", tmp_path, Path("/dev/null")):
        with pytest.raises(UsageError, match="not a block device"):
            sticks.find(place, [])


@LOOPS
def test_a_device_is_found_by_any_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(MIB))
    with loop(tmp_path / "disk") as device:
        (tmp_path / "link").symlink_to(device)
        found = sticks.find(tmp_path / "link", sticks.disks())
        assert (found.path, found.size, found.kind) == (device, MIB, "loop")
        with pytest.raises(DeviceError, match="no medium"):
            sticks.find(device, [])


class TestChoosing:
    """Which stick is meant, and whether it may be overwritten."""

    two = parsed(SYSTEM, stick("sdb"), stick("sdc", serial="77", model="Ultra"))

    def test_the_list_names_all_and_a_person_picks_one(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(console, "width", 200)
        assert consent.choose(self.two, GB, None, lambda _: " 2 ").path == Path("/dev/sdc")
        shown = capsys.readouterr().err
        for words in ("/dev/sdb", "SanDisk Ultra Fit", "4C530001", "32.0 GB", "nothing known"):
            assert words in shown
        assert "nvme0n1" not in shown

    def test_one_stick_is_asked_about_as_well(self) -> None:
        asked: list[str] = []

        def ask(question: str) -> str:
            asked.append(question)
            return "1"

        consent.choose(parsed(stick()), GB, None, ask)
        assert asked

    @pytest.mark.parametrize("answer", ["", "0", "3", "-1", "x", "²", "1.0"])
    def test_another_answer_writes_nothing(self, answer: str) -> None:
        with pytest.raises(UsageError, match="nothing was written"):
            consent.choose(self.two, GB, None, lambda _: answer)

    def test_without_a_stick_or_a_person_it_ends(self) -> None:
        with pytest.raises(DeviceError, match="No USB stick"):
            consent.choose(parsed(SYSTEM), GB, None, None)
        with pytest.raises(UsageError, match="Nobody can be asked"):
            consent.choose(self.two, GB, None, None)

    def test_a_serial_number_chooses_where_it_is_the_only_one(self) -> None:
        assert consent.choose(self.two, GB, "77", None).path == Path("/dev/sdc")
        with pytest.raises(UsageError, match="No sticks have"):
            consent.choose(self.two, GB, "78", None)
        with pytest.raises(UsageError, match="2 sticks have"):
            consent.choose(parsed(stick("sdb"), stick("sdc")), GB, "4C530001", None)

    @pytest.mark.parametrize("answer", ["Ultra Fit", " ultra  fit"])
    def test_who_types_the_models_name_agrees(self, answer: str) -> None:
        consent.confirm(self.two[4], yes=False, serial=None, ask=lambda _: answer)

    @pytest.mark.parametrize("answer", ["", "y", "yes", "Ultra", "/dev/sdb"])
    def test_who_types_something_else_does_not(self, answer: str) -> None:
        with pytest.raises(DeviceError, match="nothing was written"):
            consent.confirm(self.two[4], yes=False, serial=None, ask=lambda _: answer)

    def test_the_question_says_what_is_lost(self) -> None:
        asked: list[str] = []
        one = parsed(stick(children=[part("sdb1", fstype="vfat", label="FOTOS")]))[0]

        def ask(question: str) -> str:
            asked.append(question)
            return "Ultra Fit"

        consent.confirm(one, yes=False, serial=None, ask=ask)
        assert "FOTOS (vfat)" in asked[0]
        assert "Ultra Fit (/dev/sdb, 32.0 GB)" in asked[0]

    def test_without_a_question_only_yes_with_the_right_serial_number_goes_on(self) -> None:
        one = self.two[4]
        consent.confirm(one, yes=True, serial="4C530001", ask=None)
        with pytest.raises(UsageError, match="--yes alone"):
            consent.confirm(one, yes=True, serial=None, ask=None)
        with pytest.raises(UsageError, match="Nobody can be asked"):
            consent.confirm(one, yes=False, serial="4C530001", ask=None)
        for yes in (True, False):
            with pytest.raises(UsageError, match="not '77'"):
                consent.confirm(one, yes=yes, serial="77", ask=lambda _: "Ultra Fit")

    def test_a_stick_without_a_serial_number_has_none_that_fits(self) -> None:
        one = parsed(stick(serial=None))[0]
        for serial in ("None", ""):
            with pytest.raises(UsageError):
                consent.confirm(one, yes=True, serial=serial, ask=None)
