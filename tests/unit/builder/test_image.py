"""What a build decides by itself, without building."""

import stat
import subprocess
from pathlib import Path

import pytest

from builder import host, image
from builder.errors import CommandError, MissingError, RatssaalError
from builder.toolbox import Toolbox

pytestmark = pytest.mark.unit


def test_modes_in_an_image_do_not_follow_the_umask_of_a_checkout(tmp_path: Path) -> None:
    tree = tmp_path / "overlay"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/motd").touch()
    (tree / "start").touch()
    (tree / "link").symlink_to("/only/in/the/image")
    for path, mode in ((tree, 0o700), (tree / "etc", 0o775), (tree / "etc/motd", 0o660)):
        path.chmod(mode)
    (tree / "start").chmod(0o700)
    image.plain_modes([tree, *tree.rglob("*")])
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (tree, *tree.rglob("*"))}
    assert modes == {
        "overlay": 0o755, "etc": 0o755, "motd": 0o644, "start": 0o755, "link": 0o777
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "E: Unable to locate package etcd-server",
        "E: Package 'etcd-server' has no installation candidate",
        "E: Failed to fetch http://mirror.example/debian/pool/e.deb  404  Not Found",
    ],
)
@pytest.mark.parametrize(
    ("offline", "said"), [(False, "mirror does not give all packages"), (True, "not in the cache")]
)
def test_packages_that_do_not_come_are_explained(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    offline: bool,
    said: str,
) -> None:
    def fail(*_: object, log: Path, **__: object) -> str:
        log.parent.mkdir(parents=True)
        log.write_text(f"{words}\n")
        raise CommandError("A program ended with 100")

    monkeypatch.setattr(Toolbox, "run", fail)
    options = image.BuildOptions(mirror="http://mirror.example/debian", offline=offline)
    with pytest.raises(RatssaalError, match=said):
        image.mkosi(Toolbox(tmp_path, "key"), tmp_path / "images", options, tmp_path / "out", [])


@pytest.mark.parametrize(("free_kib", "there"), [(8 * 2**20, True), (8 * 2**20 - 1, False)])
def test_mkosi_works_in_memory_only_where_there_is_twice_as_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_kib: int, there: bool
) -> None:
    source = tmp_path / "meminfo"
    source.write_text(f"MemTotal:       99999999 kB\nMemAvailable:   {free_kib} kB\n")
    asked: list[object] = []

    def run(*_: object, memory: object, **__: object) -> str:
        asked.append(memory)
        return ""

    monkeypatch.setattr(Toolbox, "run", run)
    monkeypatch.setattr(image, "MEMORY", source)
    output = tmp_path / "out"
    image.mkosi(Toolbox(tmp_path, "key"), tmp_path / "images", image.BuildOptions(), output, [])
    assert asked == [{output / ".workspace": 4 * 2**30} if there else {}]


def test_offline_nothing_is_installed_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "NEEDED", {"a-program-that-nobody-has": "its-package"})
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it calls apt"))
    with pytest.raises(MissingError) as caught:
        host.require_programs(offline=True)
    assert "its-package" in caught.value.message
