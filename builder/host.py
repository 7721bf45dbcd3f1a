"""What the engineer's machine must have; all else lives in the toolbox."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from builder.errors import MissingError
from builder.progress import say

# program: the Debian and Ubuntu package that brings it
NEEDED = {
    "bwrap": "bubblewrap",
    "gpg": "gpg",  # mmdebstrap finds out with it which of the host's keys are Debian's
    "ip": "iproute2",
    "losetup": "mount",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
}

NEEDED_FILES = {"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring"}


def require_root(why: str = "it mounts file systems and makes network namespaces") -> None:
    """Raise MissingError for everybody but root: images, mounts and network namespaces need it."""
    if os.geteuid() != 0:
        raise MissingError(f"This needs root: {why}.", as_root())


def as_root() -> str:
    """What to do where root is missing: the same command line, to be pasted."""
    return f"Start it as root, for example: {shlex.join(['sudo', './ratssaal', *sys.argv[1:]])}"


def require_programs(*, offline: bool = False) -> None:
    """Install what is missing with apt, naming it first. Raises MissingError where that fails.

    Nothing is fetched `offline`: MissingError names it then.
    """
    absent = {package for program, package in NEEDED.items() if not shutil.which(program)}
    absent |= {package for file, package in NEEDED_FILES.items() if not Path(file).exists()}
    missing = sorted(absent)
    if not missing:
        return
    if offline:
        raise MissingError(
            f"These packages are missing: {', '.join(missing)}; and --offline forbids fetching.",
            "Install them, or run './ratssaal build' once with a network.",
        )
    if not shutil.which("apt-get"):
        raise MissingError(
            f"These packages are missing: {', '.join(missing)}; and there is no apt here.",
            "Ratssaal builds on Debian 12, Debian 13 and Ubuntu 24.04.",
        )
    say(f"Installing with apt: {', '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
    for command in (["apt-get", "update", "-q"], install):
        if subprocess.run(command, stdout=sys.stderr, env=environment, check=False).returncode:
            raise MissingError(
                f"apt could not install {', '.join(missing)} (its own words are above).",
                "Check the network and the machine's package sources, then start again.",
            )
