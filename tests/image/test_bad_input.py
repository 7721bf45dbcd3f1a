"""What can go wrong while building: one clear sentence, the right exit code, nothing lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from builder import client, mirror, stack
from builder import toolbox as toolboxes
from builder.artifacts import Artifacts, key_of, wrong_sums
from builder.cache import exclusive, require_space
from builder.errors import CommandError, MissingError
from builder.paths import PROJECT, cache_folder
from builder.stack import Stack
from builder.toolbox import Toolbox

pytestmark = pytest.mark.image
NOWHERE = "http://127.0.0.1:9/debian"


def ratssaal(
    *words: str, within: Sequence[str] = (), **environment: str
) -> "subprocess.Popen[str]":
    """The command line as a program of its own, started by the command `within`."""
    return subprocess.Popen(
        [*within, sys.executable, "-m", "builder.cli", *words],
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


# Too long for every run: with --all.
@pytest.mark.slow
def test_offline_an_image_is_built_without_any_network(artifacts: Artifacts) -> None:
    """From the caches that the image was made with, to a place at which no image lies yet."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        child = ratssaal(
            *("build", "--offline"), within=("unshare", "--net"), RATSSAAL_BUILD=f"{made}/build"
        )
        output, _ = child.communicate(timeout=1200)
        assert child.returncode == 0, output
        assert "Building the system" in output
        again = Artifacts(Path(made) / "build" / artifacts.name, artifacts.name)
        assert key_of(again.folder) == key_of(artifacts.folder)
        assert again.packages() == artifacts.packages()


@pytest.fixture
def partial_mirror(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A mirror that has all lists and no package; what it has it leaves to a whole one."""
    whole = mirror.choose(None) or mirror.of_tree(toolbox.tree)
    assert whole
    main, security = whole.main, whole.security

    class Partial(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, archive, rest = self.path.split("/", 2)
            if rest.startswith("pool/"):
                self.send_error(404)
                return
            self.send_response(302)
            base = security if archive == "debian-security" else main
            self.send_header("Location", f"{base}/{rest}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Partial) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/debian"
        server.shutdown()


def test_partial_mirror(artifacts: Artifacts, tmp_path: Path, partial_mirror: str) -> None:
    before = key_of(artifacts.folder)
    child = ratssaal("build", "--mirror", partial_mirror, RATSSAAL_CACHE=str(tmp_path))
    output, _ = child.communicate(timeout=300)
    said = " ".join(output.split())
    assert child.returncode == 1, output
    assert "ratssaal: The toolbox could not be made." in said
    assert "404" in said
    assert "Check that the mirror is reachable and complete, or name one with --mirror" in said
    assert not list((tmp_path / "toolbox").glob("*"))
    assert key_of(artifacts.folder) == before
    assert wrong_sums(artifacts) == []


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
    """A small package of the lock, by the whole launcher; pip fetches it."""
    text = (PROJECT / "requirements.lock").read_text()
    requirement = next(line for line in text.splitlines() if line.startswith("mdurl=="))
    shutil.copy(PROJECT / "ratssaal", tmp_path)
    forged = f"{requirement}\n    --hash=sha256:{'0' * 64}\n"
    (tmp_path / "requirements.lock").write_text(forged)
    command = [sys.executable, str(tmp_path / "ratssaal"), "build"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "DO NOT MATCH THE HASHES" in ended.stderr  # pip's own words
    said = ended.stderr.strip().splitlines()[-1]
    assert said.startswith("ratssaal: the Python packages of requirements.lock could not be")
    assert "hash differs from the lock is never accepted" in said
    assert not (tmp_path / ".venv").exists()


def test_wrong_checksum_in_the_lock_of_the_browsers_side(
    toolbox: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small package of the lock, which npm fetches into a cache of its own."""
    name = "node_modules/js-tokens"
    lock = json.loads((client.CLIENT / "package-lock.json").read_text())
    version = lock["packages"][name]["version"]
    wanted = {"name": "forged", "version": "0.0.0", "dependencies": {"js-tokens": version}}
    forged = {"version": version, "integrity": f"sha512-{'A' * 86}=="}
    monkeypatch.setenv("RATSSAAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(client, "CLIENT", tmp_path)
    monkeypatch.setattr(client, "SOURCES", client.LOCK)
    shutil.copy(PROJECT / "meet/client/.npmrc", tmp_path)
    (tmp_path / "package.json").write_text(json.dumps(wanted))
    (tmp_path / "package-lock.json").write_text(
        json.dumps({**wanted, "lockfileVersion": 3, "packages": {"": wanted, name: forged}})
    )
    with pytest.raises(CommandError, match="not the one in its lock file") as caught:
        client.prepare(toolbox)
    assert "package-lock.json was edited" in caught.value.hint
    assert not list((tmp_path / "cache/client").iterdir())


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
