"""Errors that the person at the command line can do something about."""


class RatssaalError(Exception):
    """What happened and what it means, as one sentence; `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RatssaalError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class MissingError(RatssaalError):
    """Something that this machine or its network has to provide is not there."""


class CommandError(RatssaalError):
    """A program failed; the message holds its command line, to be pasted, and its last words."""


class DeviceError(RatssaalError):
    """A stick or card that cannot be written as things are, or that failed while it was."""


class StoppedError(RatssaalError):
    """The person at the terminal pressed Ctrl-C; the exit code is a shell's for that, 128 + 2."""

    exit_code = 130
