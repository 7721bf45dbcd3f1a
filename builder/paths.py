"""Where things are: the project's own folders, and the cache outside of it."""

import os
import tomllib
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
IMAGES = PROJECT / "images"
OVERLAYS = PROJECT / "overlays"
STACKS = IMAGES / "stacks"


@cache
def version() -> str:
    """The version of product and image; it stands in pyproject.toml alone."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def cache_folder() -> Path:
    """Kept between builds, shared by all checkouts: $RATSSAAL_CACHE, else /var/cache/ratssaal."""
    return Path(os.environ.get("RATSSAAL_CACHE") or "/var/cache/ratssaal").absolute()


def build_folder() -> Path:
    """Finished artifacts of this checkout: $RATSSAAL_BUILD, else build/."""
    return Path(os.environ.get("RATSSAAL_BUILD") or PROJECT / "build").absolute()
