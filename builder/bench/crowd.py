"""A crowd in a meeting: participants of tests/load, and what their media costs the server."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import stack
from builder.call import token, trial_room
from builder.errors import CommandError
from builder.machines.stage import GATEWAY, Stage, die_with_parent
from builder.paths import PROJECT
from builder.processes import descendant
from builder.run import Argument
from builder.stack import Stack
from builder.toolbox import Toolbox

LOCK = PROJECT / "tests/load"
# As in a meeting: six speak with their cameras on, one shows a screen, the others' microphones are
# open in silent rooms, where Opus sends a packet every 400 ms (DTX, RFC 7587).
SPEAKERS = 6
VOICE = 50.0
SILENCE = 2.5
CAMERA_FRAMES = (25, 15)
SCREEN_FRAMES = 5
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Attendance:
    """What reached a crowd. sound and pictures: share of those expected, 1 where all came.

    lost: share of sound packets lost. first: milliseconds to the first picture, of each person, in
    order. tracks: streams forwarded. server, crowd: seconds of processor for one of meeting.
    """

    joined: int
    sound: float
    pictures: float
    lost: float
    first: tuple[int, ...]
    tracks: int
    server: float
    crowd: float

    @property
    def median(self) -> float:
        """Milliseconds to the first picture for the one in the middle."""
        return float(self.first[len(self.first) // 2]) if self.first else float("inf")

    @property
    def worst(self) -> float:
        """Milliseconds to the first picture for the last one."""
        return float(self.first[-1]) if self.first else float("inf")


def program(toolbox: Toolbox) -> Path:
    """The crowd's program, compiled first where that is needed."""
    return stack.build_own(Stack("load", LOCK), toolbox)


def expected(people: int, seconds: float) -> tuple[float, float]:
    """Sounds and pictures that all of `people` together should receive in that time."""
    speakers = min(SPEAKERS, people)
    silent = people - speakers
    sounds = (people - 1) * (speakers * VOICE + silent * SILENCE)
    large, small = CAMERA_FRAMES
    pictures = 0.0
    for seen, watchers in ((speakers - 1, speakers), (speakers, silent)):
        pictures += watchers * (large + max(0, seen - 1) * small if seen else 0)
    pictures += (people - 1) * SCREEN_FRAMES
    return sounds * seconds, pictures * seconds


def attend(
    stage: Stage,
    url: str,
    keys: str,
    people: int,
    used: Callable[[], float],
    *,
    authority: Path | None = None,
    pause: float = 3.0,
    seconds: float = 15.0,
) -> Attendance:
    """Bring `people` into a room at `url` and count for `seconds`, after `pause` seconds, what
    reaches them.

    keys: LiveKit's key file; used: seconds of processor that the server has used so far; authority:
    who vouches for the server (PEM). Raises CommandError where the crowd breaks off.
    """
    room = trial_room()
    wish = {
        "url": url,
        "pause": pause,
        "seconds": seconds,
        "per_second": 5,
        "people": [
            {
                "token": token(keys, room, f"Person {number}"),
                "sound": VOICE if number < SPEAKERS else SILENCE,
                "video": number < SPEAKERS,
                "share": number == people - 1,
            }
            for number in range(people)
        ],
    }
    environment = {**os.environ, "SSL_CERT_FILE": str(authority)} if authority else os.environ
    child = subprocess.Popen(
        stage.enter([program(stage.toolbox)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=die_with_parent,
    )
    assert child.stdin
    assert child.stdout
    assert child.stderr
    with child:
        child.stdin.write(json.dumps(wish))
        child.stdin.close()
        marks = {line.strip(): used() for line in child.stderr}
        output = child.stdout.read()
    try:
        report = json.loads(output)
        server = (marks["counted"] - marks["counting"]) / report["seconds"]
    except (ValueError, KeyError) as error:
        raise CommandError(f"The crowd broke off: {', '.join(marks)[-2000:]}") from error
    sounds, pictures = expected(people, report["seconds"])
    came = report["sound"]["packets"] + report["sound"]["lost"]
    return Attendance(
        joined=report["joined"],
        sound=report["sound"]["whole"] / sounds,
        pictures=report["video"]["whole"] / pictures,
        lost=report["sound"]["lost"] / came if came else 1.0,
        first=tuple(report["first_picture"]),
        tracks=report["sound"]["tracks"] + report["video"]["tracks"],
        server=server,
        crowd=report["cpu"] / report["seconds"],
    )


@contextmanager
def alone(stage: Stage, tree: Path, keys: str) -> Iterator[Callable[[], float]]:
    """LiveKit alone on the stage's gateway, with its own defaults, until the block ends.

    Gives its seconds of processor so far.
    """
    file = stage.folder / "alone.keys.yaml"
    file.write_text(keys)
    file.chmod(0o600)
    command: list[Argument] = [tree / "usr/lib/ratssaal/stack/livekit-server"]
    command += ["--key-file", file, "--bind", "0.0.0.0", "--node-ip", GATEWAY]  # noqa: S104
    log = stage.folder / "alone.log"
    with log.open("wb") as output:
        inside = stage.toolbox.command(command, own_processes=True)
        silent = "LiveKit alone did not start."
        with stage.serving(inside, GATEWAY, 7880, silent, output) as child:
            process = descendant(child.pid, "livekit-server")
            yield lambda: processor_seconds(process)


def processor_seconds(process: int) -> float:
    """Seconds of processor that a process has used (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
