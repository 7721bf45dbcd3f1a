"""What a build decides by itself, without building."""

import stat
from pathlib import Path

import pytest

from builder import image

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
