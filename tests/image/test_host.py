"""The builder on another machine than this: a Debian 13 with Python and apt, as it comes."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from builder.artifacts import Artifacts
from builder.cache import hash_of
from builder.paths import PROJECT, cache_folder, version
from builder.toolbox import TRUST, open_tree
from tests.unit.test_house import kept_files

pytestmark = pytest.mark.image

PACKAGES = Path(__file__).parent / "host.packages"
# What a machine is told about its network and its registries.
TOLD = (Path("/etc/resolv.conf"), Path("/etc/hosts"), Path("/etc/pip.conf"), TRUST)
# The root of a mount namespace of its own, since programs in a chroot get no namespaces. All of it
# is gone with its last process. Arguments: the tree, and the cache's folder.
ENTER = """
mount --bind "$1" "$1"
for one in dev proc sys; do mount --rbind "/$one" "$1/$one"; done
mkdir -p "$1/$2" "$1/before"
mount --bind "$2" "$1/$2"
cd "$1"
pivot_root . before
umount -l /before
cd /project
exec ./ratssaal build
"""


# Too long for every run: with --all.
@pytest.mark.slow
def test_debian_13_as_the_host_builds_an_image_of_the_same_packages(artifacts: Artifacts) -> None:
    """With this machine's caches; what it needs beside them it installs itself."""
    tree = open_tree("host", hash_of(PACKAGES), PACKAGES, ("usr/bin/python3",)).tree
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        host = Path(made) / "host"
        subprocess.run(["cp", "-a", tree, host], check=True)
        for file in (one for one in TOLD if one.exists()):
            (host / file.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.resolve(), host / file.relative_to("/"))
        for file in kept_files():
            place = host / "project" / file.relative_to(PROJECT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
        ended = subprocess.run(
            ["unshare", "--mount", "--propagation=private", "sh", "-euc", ENTER, "sh", host,
             cache_folder()],
            env={**os.environ, "HOME": "/root"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr[-2000:]
        manifest = host / f"project/build/ratssaal_{version()}/{artifacts.manifest.name}"
        assert json.loads(manifest.read_text()) == json.loads(artifacts.manifest.read_text())
