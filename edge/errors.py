"""What can go wrong on a box, one clear line each.

EdgeError
├── ConfigError      the configuration is not usable; names file, key, and the nearest name that exists
├── StateTooNew      the state folder was written by a newer version
├── NothingFound     no camera answers a call to the local network
├── NotRunning       no running box answers where one was looked for
├── NotGranted       the running box did not do in time what it was asked for
├── NotWatched       a camera that was to be watched to its end could not be
└── RedactionFailed  of this picture no redacted copy can be made
"""


class EdgeError(Exception):
    """Base of every error of `edge`."""


class ConfigError(EdgeError):
    """The configuration is not usable. `problems` are lines that each name the place and what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StateTooNew(EdgeError):
    """The incidents in the outbox were written by a newer version of this program."""


class NothingFound(EdgeError):
    """No camera answers, or this machine cannot call any."""


class NotRunning(EdgeError):
    """No running box answers at the address, or something else does."""


class NotGranted(EdgeError):
    """The running box did not do in time what it was asked for."""


class NotWatched(EdgeError):
    """Cameras that were to be watched to the end of their files could not be: `reasons` has a line of each."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(f"not watched: {reason}" for reason in reasons))
        self.reasons = reasons


class RedactionFailed(EdgeError):
    """Of this picture no redacted copy can be made: nothing is shown instead."""
