"""The checks of shell scripts and roles, with the toolbox's own programs."""

import subprocess
from pathlib import Path

import pytest

from builder import client
from builder.paths import PROJECT
from builder.toolbox import Toolbox

pytestmark = pytest.mark.image


def tracked() -> list[Path]:
    """All files of the project that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return [PROJECT / name for name in listed.stdout.splitlines() if (PROJECT / name).is_file()]


def test_shell(toolbox: Toolbox) -> None:
    scripts = [
        path
        for path in tracked()
        if path.read_bytes()[:32].startswith((b"#!/bin/sh", b"#!/bin/bash"))
    ]
    assert len(scripts) >= 8
    toolbox.run(["shellcheck", *scripts])


def test_browsers_side(toolbox: Toolbox) -> None:
    """The TypeScript compiler and eslint."""
    toolbox.run(["npm", "run", "check"], cwd=client.prepare(toolbox))


def test_roles(toolbox: Toolbox) -> None:
    roles = "firstboot/ansible/roles:overlays/livekit/usr/lib/ratssaal/stack/roles"
    toolbox.run(
        ["ansible-lint", "--offline", "--nocolor", "-q", "firstboot/ansible/site.yml"],
        cwd=PROJECT,
        environment={"ANSIBLE_ROLES_PATH": roles},
    )
