"""What all measurements of one run share, and what a measurement is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from edge.bench import street
from edge.bench.weights import Weights, trained_weights

Figures = Mapping[str, object]


@dataclass(frozen=True)
class Setting:
    """What all measurements of one run share."""

    clip: Path
    core: int
    is_quick: bool
    say: Callable[[str], None]
    street: street.Options
    given_weights: Path | None = None

    @cached_property
    def weights(self) -> Weights:
        """The network of the comparison, trained where it is not there yet. Raises NothingToMeasure."""
        if self.given_weights:
            return Weights(self.given_weights)
        return trained_weights(self.clip, self.say)


@dataclass(frozen=True, slots=True)
class Measurement:
    """`take` gives figures under (at least) these keys; a key it leaves out, or all if it fails, is null.

    `beside`: it may run at the same time as the others, on another core: always, because it mostly waits, or in quick
    runs, where time counts more than the last per cent. `runs`: in every run, in long ones, or only where asked for.
    """

    name: str
    keys: tuple[str, ...]
    take: Callable[[Setting], Figures]
    beside: Literal["never", "quick", "always"] = "never"
    runs: Literal["always", "long", "asked"] = "always"
