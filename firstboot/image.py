"""What image this box runs."""

from pathlib import Path


def image_version() -> str:
    """IMAGE_VERSION of os-release(5)."""
    for line in Path("/usr/lib/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "IMAGE_VERSION":
            return value.strip('"')
    return "unknown"
