"""Finds out which files the draft of the settings would change, by Ansible's check mode.

The answer is a file for root alone. No secret can be in it: Ansible is given none.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from firstboot.converge import play
from firstboot.errands import PREVIEW
from firstboot.files import write_whole
from firstboot.store import Draft, Store

# Far more than a change of settings makes: a page of it would help nobody.
MOST_LINES = 400
BEFORE = re.compile(r"--- before(?:: (?P<path>.*))?$")
PATH = re.compile(r'"path": "(?P<path>[^"]+)"')
AFTER = re.compile(r"\+\+\+ after(?:: (?P<path>.*))?$")


def changed_files(printed: str) -> list[dict[str, str]]:
    """The `path` and unified `diff` of each file in what ansible-playbook printed with --diff."""
    found: list[dict[str, str]] = []
    lines = iter(printed.splitlines())
    for line in lines:
        before = BEFORE.match(line)
        if not before:
            continue
        after = AFTER.match(next(lines, ""))
        path = before["path"] or (after["path"] if after else "") or ""
        body: list[str] = []
        for following in lines:
            if not following.startswith((" ", "+", "-", "@", "\\")):
                break
            body.append(following)
        shown = body[:MOST_LINES] + ["…"] * (len(body) > MOST_LINES)
        # A new file has no name before, and afterwards that of its template. Of a file or folder
        # that only comes or goes the name is in the text.
        inside = PATH.search("\n".join(body))
        name = path if before["path"] else Path(path).name.removesuffix(".j2")
        name = name or (inside["path"] if inside else "?")
        found.append({"path": name, "diff": "\n".join(shown)})
    return found


def main() -> int:
    """Look, and leave the answer."""
    draft = Draft(Store())
    revision = draft.read()["revision"]
    ended: subprocess.CompletedProcess[str] = play(
        draft.settings(), True, "--check", "--diff", work=PREVIEW.parent / "ansible"
    )
    if ended.returncode:
        print(ended.stdout + ended.stderr, file=sys.stderr)  # noqa: T201 - no secrets in it
    answer = {
        "revision": revision,
        "ok": not ended.returncode,
        "files": changed_files(ended.stdout),
    }
    write_whole(PREVIEW, json.dumps(answer) + "\n", mode=0o600)
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
