"""Runs the tests in stages, cheapest first; one image serves all of them."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from builder.errors import CommandError, UsageError
from builder.host import require_root
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
# Stages whose files run side by side, a file on one processor; of these, the stages with tests that
# are marked `alone`, which come after all others. Not `boot`: an emulated machine fills two
# processors while it starts, and two of them at once have taken as long as one after the other.
SIDE_BY_SIDE = ("unit", "box")
WITH_ALONE = ("box",)
MOST_WORKERS = 4  # a box and its browsers take up to 2 GiB


@dataclass(frozen=True)
class TestOptions:
    """Which stages, and pytest's own choices within them."""

    stages: tuple[str, ...] = tuple(STAGES)
    all: bool = False
    select: str = ""
    verbose: bool = False


def run(options: TestOptions) -> None:
    """Run the stages in order; stop at the first that fails.

    Raises UsageError for an unknown stage, MissingError without root where more than `unit` is to
    run, CommandError where a test failed, or where none of the stages has one that is selected.
    """
    unknown = [stage for stage in options.stages if stage not in STAGES]
    if unknown:
        raise UsageError(
            f"There is no test stage {unknown[0]!r}.", f"Known are: {', '.join(STAGES)}."
        )
    if set(options.stages) != {"unit"}:
        require_root("all stages of the tests but unit build the image and start it")
    found = False
    for stage in [one for one in STAGES if one in options.stages]:
        begun = time.monotonic()
        say(f"Stage {stage}: {STAGES[stage]}")
        ran = [
            _pytest(stage, [*_common(stage, options), *chosen], options)
            for chosen in _runs(stage, options)
        ]
        found = found or any(ran)
        if any(ran):
            say(f"Stage {stage} passed after {time.monotonic() - begun:.0f} s.")
        else:
            say(f"Stage {stage} has no test that -k selects.")
    if not found:
        raise CommandError(
            f"No test matches -k {options.select!r}, so nothing was tested.",
            "Look at the name, or name fewer words of it. Long tests run with --all alone.",
        )


def _common(stage: str, options: TestOptions) -> list[str]:
    limit = LIMIT_SECONDS.get(stage, LIMIT_SECONDS_WITH_A_BUILD)
    return [
        str(PROJECT / "tests" / stage),
        f"--timeout={limit}",
        *(["-k", options.select] if options.select else []),
        *(["--hypothesis-profile=thorough"] if options.all else []),
        *(["-v"] if options.verbose else []),
    ]


def _runs(stage: str, options: TestOptions) -> list[list[str]]:
    """Which tests each call of pytest takes, and on how many processors."""
    slow = [] if options.all else ["not slow"]
    # A few tests are looked at one after the other.
    if stage not in SIDE_BY_SIDE or options.select:
        return [["-m", " and ".join(slow)]]
    workers = ["--numprocesses=auto", f"--maxprocesses={MOST_WORKERS}", "--dist=loadfile"]
    workers += ["--no-loadscope-reorder"]
    runs = [[*workers, "-m", " and ".join([*slow, "not alone"])]]
    if stage in WITH_ALONE:
        runs.append(["-m", " and ".join([*slow, "alone"])])
    return runs


def _pytest(stage: str, arguments: list[str], options: TestOptions) -> bool:
    """Call pytest; whether there was a test that is selected. CommandError where one failed."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
    )
    # 5: the selection matches nothing in this stage, which is no failure of the stage.
    if ended.returncode not in ((0, 5) if options.select else (0,)):
        raise CommandError(f"Stage {stage} failed.", f"Again, alone: ./ratssaal test {stage} -v")
    return ended.returncode == 0
