"""Measurements in a process of their own, on one core, that answer with one JSON object as their last line."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from edge.bench.clips import NothingToMeasure
from edge.bench.racing import ONE_THREAD

ENOUGH_S = 1800.0


def run_pinned(module: str, *arguments: str, core: int) -> Mapping[str, Any]:
    """What `python -m module arguments` says at its end. Raises NothingToMeasure with its last complaint."""
    try:
        done = subprocess.run(  # noqa: S603 - our own modules
            ["/usr/bin/taskset", "-c", str(core), sys.executable, "-m", module, *arguments],
            capture_output=True,
            text=True,
            timeout=ENOUGH_S,
            check=False,
            env={**os.environ, **ONE_THREAD},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NothingToMeasure(f"{module}: {error}") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        complaints = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NothingToMeasure(f"{module}: {complaints[-1]}")
    answer: Mapping[str, Any] = json.loads(lines[-1])
    return answer
