"""Settings of the process, not of the watching: options of the command, or TEAWATCH_EDGE_… in the environment."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

METRICS_PORT = 8329
"""T-E-A-W on a telephone's keys; registered for nothing else."""

OUTBOX_FILE = "outbox.sqlite3"
EVIDENCE_FOLDER = "evidence"
REFERENCES_FOLDER = "references"
"""In the state folder."""


def _default_state() -> Path:
    """Where systemd puts a service's state, else where the XDG base directory specification puts a user's."""
    if folder := os.environ.get("STATE_DIRECTORY"):
        return Path(folder.split(":")[0])
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "teawatch" / "edge"


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


class Settings(BaseSettings):
    """TEAWATCH_EDGE_STATE, _OUTPUT, _DRAIN_S, _OUTBOX_MIB, _SESSIONS, _METRICS_HOST and _METRICS_PORT."""

    model_config = SettingsConfigDict(env_prefix="TEAWATCH_EDGE_", frozen=True)

    state: Path = Field(default_factory=_default_state)
    """Identity, key, outbox and evidence of this box."""
    output: Literal["auto", "console", "log", "events"] = "auto"
    """auto: a live console on a terminal, JSON log lines elsewhere."""
    drain_s: float = Field(default=10.0, ge=0, le=600)
    """With `--until-end`: so long the process waits at the end for the centre to confirm what was sent. Otherwise a
    stopped box waits a second; what is not confirmed then waits on its disk for the next start."""
    outbox_mib: int = Field(default=256, ge=1, le=65536)
    """So much may wait for the centre, in MiB, at some 3 KB a record. Beyond it the box discards what matters least, as
    `alerts.discarding` says, and tells the centre; that an incident began is never discarded."""
    sessions: int = Field(default_factory=usable_cores, ge=1, le=64)
    """How many cameras are looked at at once, by default one for each core: a session of the detector has one thread,
    for two threads are slower than one as soon as the other core has something else to do."""
    metrics_host: str = "127.0.0.1"
    """Where Prometheus and `teawatch edge top` may ask; anybody who reaches it may read, so by default this machine."""
    metrics_port: int = Field(default=METRICS_PORT, ge=0, le=65535)
    """0: nothing is served. Where the port is taken, the box says so and watches without."""

    @property
    def metrics_url(self) -> str:
        """Where this box's figures are served, as `teawatch edge top` asks for them."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.metrics_host, self.metrics_host)  # noqa: S104 - read, not bound
        return f"http://{host}:{self.metrics_port or METRICS_PORT}"
