"""What can go wrong on a box, one clear line each.

EdgeError
├── ConfigError      the configuration is not usable; names file, key, and the nearest name that exists
├── StateTooNew      the state folder was written by a newer version
└── NothingToWatch   no camera of the configuration could be started
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


class NothingToWatch(EdgeError):
    """No camera of the configuration could be started, and none can come later."""
