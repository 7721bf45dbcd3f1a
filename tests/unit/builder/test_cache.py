"""The cache: what a name stands for, and that nothing half made is ever found."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cache import COMPLETE, exclusive, hash_of, is_complete, new_entry, require_space
from builder.errors import MissingError
from builder.paths import PROJECT

pytestmark = pytest.mark.unit

# Takes the lock that it is told, says so, and holds it until it is told to go on.
HOLDER = """
import sys
from builder.cache import exclusive
with exclusive(sys.argv[1]):
    print("in", flush=True)
    sys.stdin.readline()
"""


def inputs(folder: Path) -> Path:
    """A folder as overlays are: a script, a text below, and a link."""
    (folder / "etc").mkdir(parents=True)
    (folder / "start").write_text("#!/bin/sh\n")
    (folder / "start").chmod(0o755)
    (folder / "etc/motd").write_text("Willkommen im Rathaus\n")
    (folder / "link").symlink_to("etc/motd")
    return folder


def change_content(folder: Path) -> None:
    (folder / "etc/motd").write_text("Willkommen im Ratssaal\n")


def rename_file(folder: Path) -> None:
    (folder / "etc/motd").rename(folder / "etc/issue")


def move_to_another_folder(folder: Path) -> None:
    (folder / "etc/motd").rename(folder / "motd")


def take_executable_bit(folder: Path) -> None:
    (folder / "start").chmod(0o644)


def point_link_elsewhere(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to("start")


def replace_link_by_copy(folder: Path) -> None:
    (folder / "link").unlink()
    shutil.copyfile(folder / "etc/motd", folder / "link")


def replace_link_by_its_text(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").write_text("etc/motd")


def add_empty_file(folder: Path) -> None:
    (folder / "etc/hosts").touch()


def remove_file(folder: Path) -> None:
    (folder / "etc/motd").unlink()


def add_dangling_link(folder: Path) -> None:
    (folder / "etc/resolv.conf").symlink_to("/run/nowhere")


def link_a_folder(folder: Path) -> None:
    (folder / "etc2").symlink_to("etc")


@pytest.mark.parametrize(
    "change",
    [
        change_content,
        rename_file,
        move_to_another_folder,
        take_executable_bit,
        point_link_elsewhere,
        replace_link_by_copy,
        pytest.param(replace_link_by_its_text),
        add_empty_file,
        remove_file,
        add_dangling_link,
        link_a_folder,
    ],
)
def test_every_change_of_the_inputs_gives_another_name(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = inputs(tmp_path / "inputs")
    before = hash_of(folder)
    change(folder)
    assert hash_of(folder) != before


def test_the_same_inputs_elsewhere_and_later_have_the_same_name(tmp_path: Path) -> None:
    one, other = inputs(tmp_path / "one"), inputs(tmp_path / "other")
    os.utime(other / "start", (0, 0))
    assert hash_of(one) == hash_of(other)


def test_the_order_in_which_a_disk_lists_its_files_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = inputs(tmp_path / "inputs")
    before = hash_of(folder)
    listed = list(folder.rglob("*"))
    monkeypatch.setattr(Path, "rglob", lambda *_: iter(listed[::-1]))
    assert hash_of(folder) == before


def test_what_python_leaves_behind_changes_no_name(tmp_path: Path) -> None:
    folder = inputs(tmp_path / "inputs")
    before = hash_of(folder)
    (folder / "etc/__pycache__").mkdir()
    (folder / "etc/__pycache__/x.cpython-311.pyc").write_bytes(b"\0")
    assert hash_of(folder) == before


def test_the_order_of_parts_and_the_borders_between_them_count() -> None:
    assert hash_of("livekit", "1.2.3") != hash_of("1.2.3", "livekit")
    assert hash_of("livekit", "1.2.3") != hash_of("livekit1.2.3")
    assert hash_of("livekit") != hash_of("livekit", "")


def test_no_content_can_pretend_to_be_two_parts() -> None:
    assert hash_of("livekit", "1.2.3") != hash_of("livekit\x001.2.3")


def test_a_name_is_short_and_safe_as_a_folder() -> None:
    name = hash_of("livekit")
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")


def test_a_missing_input_is_an_error_and_not_a_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hash_of(tmp_path / "nowhere")


def test_a_new_entry_appears_whole_in_place_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "cache/entry"
    for content in ("old", "new"):
        with new_entry(folder) as growing:
            (growing / content).touch()
            assert not (folder / content).exists()
    assert is_complete(folder, "new")
    assert not (folder / "old").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["entry"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_entry_whole(tmp_path: Path, error: type[BaseException]) -> None:
    folder = tmp_path / "entry"
    with new_entry(folder) as growing:
        (growing / "old").touch()
    with pytest.raises(error), new_entry(folder) as growing:
        (growing / "new").touch()
        raise error
    assert is_complete(folder, "old")
    assert not (folder / "new").exists()


def test_a_failure_without_an_old_entry_leaves_none_to_be_found(tmp_path: Path) -> None:
    folder = tmp_path / "entry"
    with pytest.raises(RuntimeError), new_entry(folder) as growing:
        (growing / "file").touch()
        raise RuntimeError
    assert not folder.exists()
    assert not is_complete(folder)


def test_a_failure_keeps_nothing_half_made_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), new_entry(tmp_path / "entry") as growing:
        (growing / "file").touch()
        raise RuntimeError
    assert list(tmp_path.glob(".entry*")) == []


def test_what_a_power_cut_left_half_made_is_not_mixed_into_the_next_entry(tmp_path: Path) -> None:
    folder = tmp_path / "entry"
    with new_entry(folder) as growing:
        name = growing.name
    shutil.rmtree(folder)
    (tmp_path / name).mkdir()
    (tmp_path / name / "half").touch()
    with new_entry(folder) as growing:
        (growing / "whole").touch()
    assert is_complete(folder, "whole")
    assert not (folder / "half").exists()


def test_a_file_where_the_growing_entry_belongs_is_no_obstacle(tmp_path: Path) -> None:
    """A killed build's last step, for which the folder was gone already."""
    (tmp_path / ".image.growing").write_text("left over")
    with new_entry(tmp_path / "image") as growing:
        (growing / "content").write_text("new")
    assert (tmp_path / "image/content").read_text() == "new"


def test_a_damaged_entry_is_noticed_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "entry"
    with new_entry(folder) as growing:
        (growing / "tree").touch()
        (growing / "link").symlink_to("/only/in/the/toolbox")
    assert is_complete(folder, "tree", "link")
    assert capsys.readouterr().err == ""
    (folder / "tree").unlink()
    assert not is_complete(folder, "link", "tree")
    said = capsys.readouterr().err
    assert "entry is damaged" in said
    assert "tree is missing" in said


@pytest.mark.parametrize("needed", [(), ("tree/program",)])
def test_a_file_that_a_power_cut_has_shortened_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], needed: tuple[str, ...]
) -> None:
    folder = tmp_path / "entry"
    name = needed[0] if needed else "program"
    with new_entry(folder, *needed) as growing:
        (growing / name).parent.mkdir(exist_ok=True)
        (growing / name).write_text("whole")
    assert is_complete(folder, name)
    (folder / name).write_text("")
    assert not is_complete(folder, name)
    assert f"{name} has another size" in capsys.readouterr().err


def test_a_flipped_byte_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "entry"
    with new_entry(folder, "tree/program") as growing:
        (growing / "tree").mkdir()
        (growing / "tree/program").write_bytes(bytes(range(256)) * 4096)
    assert is_complete(folder, "tree/program")
    content = bytearray((folder / "tree/program").read_bytes())
    content[500_000] ^= 1
    (folder / "tree/program").write_bytes(content)
    assert not is_complete(folder, "tree/program")
    assert "tree/program has another content" in capsys.readouterr().err


def test_where_nothing_is_named_no_content_is_read(tmp_path: Path) -> None:
    """An image is gigabytes; its own sums are in SHA256SUMS."""
    folder = tmp_path / "image"
    with new_entry(folder) as growing:
        (growing / "image.raw").write_text("whole")
    (folder / "image.raw").write_text("whose")
    assert is_complete(folder, "image.raw")


def test_an_entry_of_an_earlier_version_without_sizes_stays(tmp_path: Path) -> None:
    (tmp_path / COMPLETE).touch()
    (tmp_path / "program").write_text("whole")
    assert is_complete(tmp_path, "program")


def test_an_entry_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "entry"
    seen: list[bool] = []
    monkeypatch.setattr(os, "sync", lambda: seen.append(folder.exists()))
    with new_entry(folder):
        pass
    assert (seen, folder.exists()) == ([False], True)


def test_an_entry_that_was_never_finished_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "tree").touch()
    assert not is_complete(tmp_path, "tree")


def hold(name: str) -> subprocess.Popen[str]:
    """Start another ratssaal that takes the lock `name`; its words all come in one stream."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "200"},
    )


def waits_for_a_lock(pid: int) -> bool:
    """Whether the kernel has the process in the queue of a lock: a line with -> (proc_locks(5))."""
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(words[1] == "->" and words[5] == str(pid) for words in lines)


def test_a_second_build_says_that_it_waits_and_goes_on_once_the_first_is_done() -> None:
    with exclusive("image"):
        second = hold("image")
        assert second.stdout
        assert "Another ratssaal is busy with image" in second.stdout.readline()
        limit = time.monotonic() + 20
        while not waits_for_a_lock(second.pid):
            assert second.poll() is None, "it went on beside the first one"
            assert time.monotonic() < limit, "it does not wait for the lock"
    output, _ = second.communicate("\n", timeout=20)
    assert (output, second.returncode) == ("in\n", 0)


def test_a_killed_build_leaves_no_lock_behind() -> None:
    first = hold("image")
    assert first.stdout
    assert first.stdout.readline() == "in\n"
    first.kill()
    first.communicate()
    output, _ = hold("image").communicate("\n", timeout=20)
    assert output == "in\n"


def test_an_error_lets_the_lock_go() -> None:
    with pytest.raises(RuntimeError), exclusive("image"):
        raise RuntimeError
    output, _ = hold("image").communicate("\n", timeout=20)
    assert output == "in\n"


def test_builds_of_different_things_do_not_wait_for_each_other() -> None:
    with exclusive("image"):
        output, _ = hold("toolbox").communicate("\n", timeout=20)
    assert output == "in\n"


def test_too_little_space_is_said_before_the_work_begins(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as caught:
        require_space(tmp_path / "not/there/yet", 10_000_000)
    free = shutil.disk_usage(tmp_path).free / 2**30
    assert f"are free at {tmp_path};" in caught.value.message
    assert "10000000 GiB are needed" in caught.value.message
    assert float(caught.value.message.split()[1]) == pytest.approx(free, rel=0.05, abs=0.5)
    assert "RATSSAAL_CACHE" in caught.value.hint
    assert caught.value.exit_code == 1


def test_enough_space_is_no_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_space(tmp_path / "not/there/yet", 0)
    assert capsys.readouterr().err == ""
