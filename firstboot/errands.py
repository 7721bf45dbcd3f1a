"""What the agent, or a key at the box, sends others for: units that run once and leave a file.

Each has rights of its own; the agent itself has no network, and does not wait for Ansible.
"""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from firstboot.store import Draft, Store
from firstboot.texts import SaidError

ROOMS = Path("/run/ratssaal/rooms.json")
BUNDLE = Path("/run/ratssaal-support/ratssaal-support.tar.gz")
PREVIEW = Path("/run/ratssaal-preview/preview.json")


def _systemctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)


def rooms(file: Path = ROOMS) -> dict[str, int] | None:
    """How many `rooms` are in use and how many `people` are in them; None where nobody knows."""
    if _systemctl("start", "ratssaal-rooms.service").returncode:
        return None
    try:
        found = json.loads(file.read_text())
        return {"rooms": int(found["rooms"]), "people": int(found["people"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def bundle(file: Path = BUNDLE) -> bytes:
    """The bundle for support; it stays nowhere. Raises SaidError where there is none."""
    try:
        if _systemctl("start", "ratssaal-support.service").returncode:
            raise SaidError("admin.support_failed")
        return file.read_bytes()
    except OSError as error:
        raise SaidError("admin.support_failed") from error
    finally:
        file.unlink(missing_ok=True)


def support() -> str:
    """The bundle for support, base64, as it goes through the agent. Raises SaidError."""
    return base64.b64encode(bundle()).decode()


def begin_preview() -> None:
    """Begin to find out what the draft would change."""
    _systemctl("start", "--no-block", "ratssaal-preview.service")


def previewed(store: Store, file: Path = PREVIEW) -> dict[str, Any]:
    """What the draft would change: `state` none, running, failed or done, and then `files`."""
    running = _systemctl("is-active", "ratssaal-preview.service").stdout.strip() == "activating"
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        found = None
    if running:
        return {"state": "running", "files": []}
    if not found or found["revision"] != Draft(store).read()["revision"]:
        return {"state": "none", "files": []}
    return {"state": "done" if found["ok"] else "failed", "files": found["files"]}
