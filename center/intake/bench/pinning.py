"""One core for what is measured, the others for all that serves it."""

import os


def split_cores() -> tuple[int | None, set[int]]:
    """The core to measure on, and the others; no such core on a machine with one."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], set(cores[1:])) if len(cores) > 1 else (None, set(cores))


def pin(core: int | None) -> None:
    """Keep this process on that core."""
    if core is not None:
        os.sched_setaffinity(0, {core})
