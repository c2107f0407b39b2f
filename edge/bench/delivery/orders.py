"""What the bench tells a box of its own, and when that box is to die: one JSON object a line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

Boundary: TypeAlias = Literal["statement", "committed", "file", "sent", "confirmed", "uploaded"]
"""Before an SQLite statement of the outbox; after a commit returned; before any other file is opened for writing, gets
its name or is removed; after a record was handed to the connection; after a receipt was followed; after a file was
taken by the centre."""


@dataclass(frozen=True, slots=True)
class Doom:
    """Die by SIGKILL, from inside, at the `n`-th such boundary from now."""

    at: Boundary
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """How a box is to live. `ahead_s`: its clock's error; `looks_per_s` of each of its cameras."""

    state: str
    cameras: tuple[str, ...]
    seed: int
    ahead_s: float = 0.0
    looks_per_s: float = 2.0

    @property
    def folder(self) -> Path:
        """Its state folder."""
        return Path(self.state)


def write_line(message: Mapping[str, object]) -> bytes:
    """One message, one line; shorter than a pipe's atomic write."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def read_birth(message: Mapping[str, Any]) -> Birth:
    """Out of the order to live."""
    fields = {key: value for key, value in message.items() if key not in {"do", "box"}}
    return Birth(**fields | {"cameras": tuple(message["cameras"])})
