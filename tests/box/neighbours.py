"""What stands beside a box on the stage's network, from a Debian tree of its own."""

from pathlib import Path

from builder.cache import hash_of
from builder.toolbox import Toolbox, open_tree

PACKAGES = Path(__file__).parent / "neighbours.packages"
PROGRAMS = ("usr/sbin/knotd", "usr/bin/certutil", "usr/bin/tinyproxy")


def tree() -> Toolbox:
    """The tree with the neighbours' programs, made first where there is none."""
    return open_tree("neighbours", hash_of(PACKAGES), PACKAGES, PROGRAMS)
