"""The pictures of a lead two by two: what a box sealed, and the copy it drew on. A long incident has several."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from center.evidence.files import Announced


@dataclass(frozen=True, slots=True)
class Pair:
    """One look at the incident, counted from 1; `at` is when its picture was announced to the centre."""

    number: int
    at: datetime
    sealed: Announced | None
    annotated: Announced | None


def pairs_of(files: Iterable[Announced]) -> Sequence[Pair]:
    """Each sealed picture with its copy, in the order of announcement; a copy without its original stands alone."""
    looks: dict[str, dict[str, Announced]] = {}
    for file in files:
        match file.role:
            case "picture":
                looks.setdefault(file.sha256, {})["sealed"] = file
            case "annotated":
                looks.setdefault(file.derived_from or file.sha256, {}).setdefault("annotated", file)
    firsts = [(min(file.announced_at for file in look.values()), look) for look in looks.values()]
    ordered = sorted(firsts, key=lambda first: first[0])
    return [Pair(n, at, look.get("sealed"), look.get("annotated")) for n, (at, look) in enumerate(ordered, start=1)]


def chosen_of(pairs: Sequence[Pair], number: int) -> Pair | None:
    """The pair of that number, the first where there is none of it; None where nothing was announced."""
    return next((pair for pair in pairs if pair.number == number), pairs[0] if pairs else None)
