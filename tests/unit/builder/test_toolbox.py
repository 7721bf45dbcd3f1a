"""Making a Debian tree, with a small program in mmdebstrap's place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder.paths import PROJECT

pytestmark = pytest.mark.unit

# Binds a folder of the host into the tree, says so, and holds it for a minute.
MMDEBSTRAP = """#!/bin/sh
for word; do case $word in */tree) tree=$word;; esac; done
mkdir -p "$tree/dev/shm"
mount --bind "$HOST" "$tree/dev/shm"
exec >"$SAID"
echo "$tree"
sleep 60
"""
MAKER = """
import sys
from pathlib import Path
from builder import toolbox
toolbox.require_space = lambda *_: None
toolbox.open_tree("small", "0123456789abcdef", Path(sys.argv[1]), ("usr/bin/true",))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="it mounts")
def test_a_killed_build_leaves_no_mount_in_the_tree(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/mmdebstrap"
    program.write_text(MMDEBSTRAP)
    program.chmod(0o755)
    (tmp_path / "host").mkdir()
    (tmp_path / "packages").write_text("true\n")
    os.mkfifo(tmp_path / "said")
    settings = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
        "HOST": str(tmp_path / "host"),
        "SAID": str(tmp_path / "said"),
    }
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(tmp_path / "packages")],
        env={**os.environ, **settings},
        stderr=subprocess.DEVNULL,
    )
    with (tmp_path / "said").open() as said:
        tree = Path(said.readline().strip())
        assert (tree / "dev/shm").is_dir()
        maker.kill()
        maker.wait()
        assert said.read() == ""  # its end: nobody holds the pipe any more
    assert str(tree) not in Path("/proc/self/mountinfo").read_text()
