"""What all unit tests share: none of them touches this machine's own cache, images or keys."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The parent of cache, build and keys of this test alone, which do not exist yet."""
    parent = tmp_path / "ratssaal"
    for name in ("CACHE", "BUILD", "KEYS"):
        monkeypatch.setenv(f"RATSSAAL_{name}", str(parent / name.lower()))
    return parent


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for all that this machine has to write."""
    monkeypatch.setattr(os, "sync", lambda: None)
