"""Runs the tests in stages, cheapest first; one image serves all of them."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from builder.errors import CommandError, UsageError
from builder.paths import PROJECT
from builder.progress import say

STAGES = {
    "unit": "on the host, seconds: code, linters",
    "image": "looks into the built image",
    "box": "the image in containers, at native speed",
    "boot": "the image in QEMU: firmware, disk and all",
}
# A test that hangs is ended with a look at where it hangs; the longest builds the image first.
LIMIT_SECONDS = {"unit": 600}
LIMIT_SECONDS_WITH_A_BUILD = 2400


@dataclass(frozen=True)
class TestOptions:
    """Which stages, and pytest's own choices within them."""

    stages: tuple[str, ...] = tuple(STAGES)
    all: bool = False
    select: str = ""
    verbose: bool = False


def run(options: TestOptions) -> None:
    """Run the stages in order; stop at the first that fails.

    Raises UsageError for an unknown stage, CommandError where a test failed.
    """
    unknown = [stage for stage in options.stages if stage not in STAGES]
    if unknown:
        raise UsageError(
            f"There is no test stage {unknown[0]!r}.", f"Known are: {', '.join(STAGES)}."
        )
    for stage in [one for one in STAGES if one in options.stages]:
        begun = time.monotonic()
        say(f"Stage {stage}: {STAGES[stage]}")
        command = [sys.executable, "-m", "pytest", str(PROJECT / "tests" / stage)]
        command += ["-k", options.select] if options.select else []
        thorough = ["--hypothesis-profile=thorough"]
        command += thorough if options.all else ["-m", "not slow"]
        command += ["-v"] if options.verbose else []
        command += [f"--timeout={LIMIT_SECONDS.get(stage, LIMIT_SECONDS_WITH_A_BUILD)}"]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        ended = subprocess.run(command, cwd=PROJECT, env=environment, check=False)
        # 5: the selection matches nothing in this stage, which is no failure of the stage.
        if ended.returncode not in ((0, 5) if options.select else (0,)):
            raise CommandError(
                f"Stage {stage} failed.", f"Again, alone: ./ratssaal test {stage} -v"
            )
        say(f"Stage {stage} passed after {time.monotonic() - begun:.0f} s.")
