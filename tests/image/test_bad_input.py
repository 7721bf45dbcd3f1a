"""What can go wrong while building: one clear sentence, the right exit code, nothing lost."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from builder import stack
from builder import toolbox as toolboxes
from builder.artifacts import Artifacts, key_of, wrong_sums
from builder.cache import exclusive, require_space
from builder.errors import CommandError, MissingError
from builder.paths import PROJECT, cache_folder
from builder.stack import Stack
from builder.toolbox import Toolbox

pytestmark = pytest.mark.image
NOWHERE = "http://127.0.0.1:9/debian"


def ratssaal(*words: str, **environment: str) -> "subprocess.Popen[str]":
    """The command line as a program of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "builder.cli", *words],
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_unreachable_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATSSAAL_CACHE", str(tmp_path))
    with pytest.raises(CommandError, match="toolbox could not be made") as caught:
        toolboxes.open_toolbox(NOWHERE)
    assert "--mirror" in caught.value.hint
    assert not list((tmp_path / "toolbox").glob("[!.]*"))


def test_offline_with_empty_caches_says_what_is_missing(tmp_path: Path) -> None:
    child = ratssaal("build", "--offline", RATSSAAL_CACHE=str(tmp_path))
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "is not in the cache, and --offline forbids making it" in " ".join(output.split())


def test_offline_with_nothing_changed_is_done(artifacts: Artifacts) -> None:
    child = ratssaal("build", "--offline")
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 0, output
    assert "up to date" in output


def test_wrong_checksum_in_the_lock_of_a_stack(toolbox: Toolbox, tmp_path: Path) -> None:
    lock = tmp_path / "livekit"
    shutil.copytree(stack.choose("livekit").lock, lock)
    sums = (lock / "go.sum").read_text()
    line = next(
        one for one in sums.splitlines() if one.startswith("github.com/livekit/livekit-server ")
    )
    forged = line.rpartition("h1:")[0] + "h1:" + "A" * 43 + "="
    (lock / "go.sum").write_text(sums.replace(line, forged))
    shutil.copytree(lock, cache_folder() / "bench-lock", dirs_exist_ok=True)
    try:
        forged_stack = Stack("livekit", cache_folder() / "bench-lock")
        with pytest.raises(CommandError, match="its checksum differs"):
            stack.build(forged_stack, toolbox)
    finally:
        shutil.rmtree(cache_folder() / "bench-lock")


def test_wrong_hash_in_the_lock_of_the_command_line(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    text = (PROJECT / "requirements.lock").read_text()
    first = text.index("--hash=sha256:") + len("--hash=sha256:")
    name = text[: text.index("==")].split()[-1]
    entry = text[text.index(f"{name}==") : text.index("    # via")]
    digest = entry[entry.index("sha256:") + 7 :][:64]
    assert text[first : first + 64] == digest
    head = entry.splitlines()[0]
    lock.write_text(f"{head}\n    --hash=sha256:{'0' * 64}\n")
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
    command = [*pip, "-q", "--only-binary=:all:", "-d", str(tmp_path), "-r", str(lock)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ended.stderr


def test_a_killed_build_leaves_the_last_good_image(artifacts: Artifacts) -> None:
    before = key_of(artifacts.folder)
    change = PROJECT / "overlays/base/usr/share/ratssaal/killed"
    change.write_text("a change that never gets into an image\n")
    try:
        child = ratssaal("build")
        assert child.stdout
        for line in child.stdout:
            if "Building the system" in line:
                break
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    finally:
        change.unlink()
    assert key_of(artifacts.folder) == before
    assert wrong_sums(artifacts) == []


def test_a_second_build_waits_and_says_so(artifacts: Artifacts) -> None:
    with exclusive("image"):
        child = ratssaal("build")
        assert child.stdout
        said = next(line for line in child.stdout if "busy" in line)
    rest = child.stdout.read()
    assert child.wait(60) == 0, said + rest
    assert "up to date" in rest


def test_a_file_that_is_no_image_of_ours(tmp_path: Path) -> None:
    foreign = tmp_path / "debian.raw"
    foreign.write_bytes(b"\0" * 4096)
    for verb in ("inspect", "boot"):
        child = ratssaal(verb, str(foreign))
        output, _ = child.communicate(timeout=60)
        assert child.returncode == 1
        assert "is not an image made by" in " ".join(output.split())


def test_no_space_left_is_noticed_before(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="are free at"):
        require_space(tmp_path, 10**6)
