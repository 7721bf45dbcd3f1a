"""Flashing, the whole way: what is agreed to, written and brought along, on loop devices."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import typer

from builder import cli
from builder.errors import DeviceError, RatssaalError, StoppedError, UsageError
from builder.stick import flash
from builder.stick.direct import Device
from builder.stick.flash import FlashOptions
from builder.stick.gpt import ENTRY
from builder.stick.writing import HEAD
from tests.unit.builder import sticks_of
from tests.unit.builder.sticks_of import (
    IMAGE_SIZE,
    LOOPS,
    MIB,
    STICK_SIZE,
    ZSTD,
    at,
    compressed,
    holds,
    looks_empty,
    loop,
)

pytestmark = pytest.mark.unit


def typed(device: Path) -> Callable[[str], str]:
    """Somebody who types what is asked for."""
    return lambda _: device.name


@LOOPS
class TestOnLoopDevices:
    """Everything but the stick itself."""

    @pytest.fixture
    def device(self, used: Path) -> Iterator[Path]:
        with loop(used) as made:
            yield made

    def run(self, place: Path, device: Path, **more: object) -> None:
        options = FlashOptions(place, device, **more)  # type: ignore[arg-type]
        flash.flash(options, typed(device), loops=True)

    def refused(self, place: Path, device: Path, used: Path) -> RatssaalError:
        """Why it is refused; the stick stays as it was."""
        before = used.read_bytes()
        with pytest.raises(RatssaalError) as caught:
            self.run(place, device)
        assert used.read_bytes() == before
        return caught.value

    def test_a_stick_holds_the_image_and_no_older_table(
        self, raw: Path, used: Path, device: Path, nothing_left: None
    ) -> None:
        before = used.read_bytes()
        self.run(raw.parent, device)
        holds(used.read_bytes(), raw.read_bytes(), before)
        assert b"EFI PART" not in used.read_bytes()[IMAGE_SIZE:]

    @ZSTD
    def test_the_compressed_image_makes_the_same(
        self, raw: Path, used: Path, device: Path, nothing_left: None
    ) -> None:
        expected, before = raw.read_bytes(), used.read_bytes()
        self.run(compressed(raw), device)
        holds(used.read_bytes(), expected, before)

    def test_a_stick_of_just_the_images_size_will_do(self, raw: Path, tmp_path: Path) -> None:
        just = sticks_of.used_stick(tmp_path / "just", IMAGE_SIZE)
        with loop(just) as device:
            self.run(raw, device)
        assert just.read_bytes()[: 3 * MIB] == raw.read_bytes()[: 3 * MIB]
        assert just.read_bytes()[-33 * 512 :] == raw.read_bytes()[-33 * 512 :]

    def test_a_device_that_is_short_is_refused(self, raw: Path, tmp_path: Path) -> None:
        short = sticks_of.used_stick(tmp_path / "short", IMAGE_SIZE - MIB)
        with loop(short) as device:
            error = self.refused(raw, device, short)
        assert f"the image needs {IMAGE_SIZE}" in error.message

    def test_a_read_only_device_is_refused(self, raw: Path, used: Path) -> None:
        with loop(used, "--read-only") as device:
            assert "write-protected" in self.refused(raw, device, used).message

    def test_other_sectors_are_refused(self, raw: Path, used: Path) -> None:
        with loop(used, "--sector-size", "4096") as device:
            assert "sectors of 4096" in self.refused(raw, device, used).message

    def test_a_device_in_use_is_refused(self, raw: Path, used: Path, device: Path) -> None:
        descriptor = os.open(device, os.O_RDONLY | os.O_EXCL)
        try:
            assert "in use" in self.refused(raw, device, used).message
        finally:
            os.close(descriptor)

    def test_a_wrong_name_wrong_sums_or_no_person_write_nothing(
        self, raw: Path, used: Path, device: Path
    ) -> None:
        before = used.read_bytes()
        with pytest.raises(DeviceError, match="not the name"):
            flash.flash(FlashOptions(raw, device), lambda _: "y", loops=True)
        with pytest.raises(UsageError, match="Nobody can be asked"):
            flash.flash(FlashOptions(raw, device), None, loops=True)
        with pytest.raises(UsageError, match="neither a USB stick"):
            flash.flash(FlashOptions(raw, device), typed(device))
        assert used.read_bytes() == before
        with raw.open("r+b") as file:
            file.write(b"x")
        assert "SHA256SUMS" in self.refused(raw, device, used).message

    def test_ctrl_c_at_the_question_writes_nothing(
        self, raw: Path, used: Path, device: Path, nothing_left: None
    ) -> None:
        before = used.read_bytes()

        def ask(_: str) -> str:
            raise KeyboardInterrupt

        with pytest.raises(StoppedError, match="before anything was written"):
            flash.flash(FlashOptions(raw, device), ask, loops=True)
        assert used.read_bytes() == before

    def test_ctrl_c_meanwhile_leaves_it_empty_and_free(
        self,
        raw: Path,
        used: Path,
        device: Path,
        monkeypatch: pytest.MonkeyPatch,
        nothing_left: None,
    ) -> None:
        with (
            at("Writing", lambda: signal.raise_signal(signal.SIGINT), monkeypatch),
            pytest.raises(StoppedError, match="Stopped by Ctrl-C"),
        ):
            self.run(raw, device)
        assert looks_empty(used)
        Device(device).__exit__()
        self.run(raw, device)
        assert used.read_bytes()[:HEAD] == raw.read_bytes()[:HEAD]

    @pytest.mark.parametrize("step", ["Writing", "Reading back"])
    def test_what_ends_the_program_at_once_leaves_it_empty_and_free(
        self, raw: Path, used: Path, device: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """As a power cut does: nothing of the program can tidy up behind it."""
        child = os.fork()
        if not child:
            with at(step, lambda: signal.raise_signal(signal.SIGKILL), monkeypatch):
                self.run(raw, device)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert looks_empty(used)
        self.run(raw, device)
        assert used.read_bytes()[:HEAD] == raw.read_bytes()[:HEAD]

    def test_another_stick_in_the_same_place_is_not_written(
        self, raw: Path, used: Path, device: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        other.write_bytes(bytes(STICK_SIZE + MIB))

        def ask(_: str) -> str:
            subprocess.run(["losetup", "--detach", device], check=True)
            subprocess.run(["losetup", device, other], check=True)
            return device.name

        with pytest.raises(DeviceError, match="another stick than the one"):
            flash.flash(FlashOptions(raw, device), ask, loops=True)
        assert other.read_bytes() == bytes(STICK_SIZE + MIB)

    def test_a_device_that_cannot_keep_what_it_takes_fails(
        self, raw: Path, tmp_path: Path, nothing_left: None
    ) -> None:
        """A stick that says it has 80 MiB and has 14."""
        (tmp_path / "small").mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", str(tmp_path / "small")]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no tmpfs can be mounted here")
        try:
            small = tmp_path / "small/stick"
            with small.open("wb") as file:
                file.truncate(STICK_SIZE)
            with (
                loop(small) as device,
                pytest.raises(DeviceError, match="The stick fails") as caught,
            ):
                self.run(raw, device)
            assert looks_empty(small)
        finally:
            subprocess.run(["umount", tmp_path / "small"], check=True)
        assert "take another stick" in caught.value.hint

    def test_what_a_stick_brings_stands_in_a_partition_of_its_own(
        self,
        raw: Path,
        used: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        nothing_left: None,
    ) -> None:
        made = seed_of_16_mib(monkeypatch)
        os.truncate(used, 100 * MIB)
        with loop(used) as device:
            self.run(raw, device, code_card=tmp_path / "card.pdf")
        assert (tmp_path / "card.pdf").read_bytes().startswith(b"%PDF")
        assert list(made) == ["code-card.json"]
        stick, image = used.read_bytes(), raw.read_bytes()
        entries = [ENTRY.unpack_from(stick, 1024 + n * 128) for n in range(3)]
        start = entries[2][2] * 512
        assert start > IMAGE_SIZE
        assert stick[start : start + flash.SEED_BYTES] == made["code-card.json"].ljust(
            flash.SEED_BYTES, b"s"
        )
        assert stick[:446] == image[:446]
        assert stick[1024 + 256 + 128 : HEAD] == image[1024 + 256 + 128 : HEAD]
        assert stick[MIB : 3 * MIB] == image[MIB : 3 * MIB]
        assert stick[-512:-504] == b"EFI PART"

    def test_the_card_of_a_stick_that_failed_goes_and_no_other(
        self,
        raw: Path,
        used: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        nothing_left: None,
    ) -> None:
        seed_of_16_mib(monkeypatch)
        os.truncate(used, 100 * MIB)
        card = tmp_path / "card.pdf"
        with (
            loop(used) as device,
            at("Reading back", lambda: signal.raise_signal(signal.SIGINT), monkeypatch),
            pytest.raises(StoppedError),
        ):
            self.run(raw, device, code_card=card)
        assert not card.exists()
        card.write_text("of another stick")
        with loop(used) as device, pytest.raises(UsageError, match="exists already"):
            self.run(raw, device, code_card=card)
        assert card.read_text() == "of another stick"

    def test_a_stick_without_room_for_what_it_brings_is_refused(
        self, raw: Path, device: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seed_of_16_mib(monkeypatch)
        with pytest.raises(DeviceError, match="the image needs"):
            self.run(raw, device, code_card=tmp_path / "card.pdf")
        assert not (tmp_path / "card.pdf").exists()

    def test_answers_that_are_not_in_order_end_it_first(
        self, raw: Path, used: Path, device: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "answers.yaml").write_text("box: {reach: here}\n")
        before = used.read_bytes()
        with pytest.raises(UsageError, match="not in order"):
            self.run(raw, device, answers=tmp_path / "answers.yaml")
        assert used.read_bytes() == before


def seed_of_16_mib(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """In place of the toolbox's programs; what was to go onto the partition."""
    made: dict[str, bytes] = {}

    def make_seed(_: object, image: Path, files: Mapping[str, bytes], size: int) -> None:
        made.update(files)
        image.write_bytes(files["code-card.json"].ljust(size, b"s"))

    monkeypatch.setattr("builder.machines.firmware.make_seed", make_seed)
    monkeypatch.setattr(flash, "open_toolbox", lambda: "the toolbox")
    return made


def called(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["ratssaal", "flash", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@LOOPS
def test_the_command_line_takes_no_loop_device(
    raw: Path, used: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = used.read_bytes()
    with loop(used) as device:
        assert called(monkeypatch, raw, device, "--yes", "--serial", "1") == 2
    assert "neither a USB stick nor a memory card" in capsys.readouterr().err
    assert used.read_bytes() == before


def test_the_command_line_names_what_is_no_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(flash, "require_root", lambda _: None)
    assert called(monkeypatch, tmp_path / "nothing") == 1
    assert "There is no image" in capsys.readouterr().err


def test_ctrl_c_at_the_question_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def prompt(*_: object, **__: object) -> str:
        raise typer.Abort

    monkeypatch.setattr(typer, "prompt", prompt)
    with pytest.raises(KeyboardInterrupt):
        cli.ask("?")
