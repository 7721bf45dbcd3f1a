"""The checks that read the code, as tests like all others: nobody has to remember them."""

import subprocess
import sys

import pytest

from builder.paths import PROJECT

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "."], id="ruff check"),
        pytest.param(["ruff", "format", "--check", "."], id="ruff format"),
        pytest.param(["mypy"], id="mypy strict"),
    ],
)
def test_python(command: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
