"""Seconds to the milliseconds that are shown."""

from collections.abc import Iterable

from edge.bench.delivery.figures import share_of


def milliseconds(seconds: Iterable[float], share: float) -> float | None:
    """What so large a share of them does not exceed; None of nothing."""
    value = share_of(sorted(seconds), share)
    return None if value is None else round(1000 * value, 1)
