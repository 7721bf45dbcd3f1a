"""What a box has and the engineer's machine has not: a web server that looks at certificates."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def web_server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """nginx(8) takes the pair that lies where it is started; tests/box asks the real one.

    Returns its program.
    """
    program = tmp_path_factory.mktemp("web-server") / "nginx"
    program.write_text("#!/bin/sh\ncat fullchain.pem privkey.pem >/dev/null\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program
