"""Runs other programs; a failed one is shown so that it can be pasted and replayed."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from builder.errors import CommandError

Argument = str | os.PathLike[str]


def replayable(command: Sequence[Argument], environment: Mapping[str, str] | None = None) -> str:
    """The command as a shell would take it, with what was set for it in front."""
    assignments = [f"{key}={shlex.quote(value)}" for key, value in (environment or {}).items()]
    return " ".join([*assignments, shlex.join([os.fspath(word) for word in command])])


def run(
    command: Sequence[Argument],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    log: Path | None = None,
    hint: str = "",
) -> str:
    """Run `command` to its end and return its standard output.

    With `log`, both outputs go to that file instead and the result is empty. Files that it makes
    have the usual modes, whatever the person's umask. Raises CommandError where it cannot be
    started or ends with anything but 0.
    """
    full = {**os.environ, **(environment or {})}
    sink: IO[bytes] | None = None
    try:
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            sink = log.open("wb")
        ended = subprocess.run(
            [os.fspath(word) for word in command],
            env=full,
            cwd=cwd,
            umask=0o022,
            input=stdin.encode() if stdin is not None else None,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=sink or subprocess.PIPE,
            stderr=subprocess.STDOUT if sink else subprocess.PIPE,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(f"{error.filename} is not there.", hint) from error
    except OSError as error:
        raise CommandError(f"{command[0]} cannot be started: {error.strerror}.", hint) from error
    finally:
        if sink:
            sink.close()
    if ended.returncode != 0:
        words = log.read_bytes() if log else (ended.stderr or ended.stdout or b"")
        tail = "\n".join(words.decode(errors="replace").strip().splitlines()[-15:])
        where = f"\nThe whole log: {log}" if log else ""
        raise CommandError(
            f"A program ended with {ended.returncode}:\n"
            f"  {replayable(command, environment)}\n{tail}{where}",
            hint,
        )
    return "" if sink else ended.stdout.decode(errors="replace")
