"""Python's garbage collector, told what a centre's heap is like."""

import gc

YOUNG = 50_000
"""So many new objects before the young ones are looked through: some of a batch of alerts, which live until its end."""


def settle() -> None:
    """Call it once, when the program is up: it stays, and the collector need not look through it during a batch."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
