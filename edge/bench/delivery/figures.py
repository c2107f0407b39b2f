"""From rounds to the figures that are shown."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from math import ceil

from edge.bench.delivery.judgement import Verdict
from edge.bench.delivery.rounds import Round

PROMISES = ("lost", "duplicate_tasks", "lost_records", "lost_files")
"""What must be nought."""


def figures_of(rounds: Sequence[Round]) -> dict[str, object]:
    """The sums of all rounds, and what the faults cost."""
    outcomes = [outcome for each in rounds for outcome in each.outcomes]
    healed_s: dict[str, list[float | None]] = defaultdict(list)
    for outcome in outcomes:
        healed_s[outcome.kind].append(outcome.healed_s)
    took_ms = sorted(ms for each in rounds for ms in each.took_ms)
    noticed_s = sorted(outcome.gap.noticed_s for outcome in outcomes if outcome.gap.noticed_s is not None)
    return {
        "faults": len(outcomes),
        **{part.name: sum(getattr(each.verdict, part.name) for each in rounds) for part in fields(Verdict)},
        "gaps_made": sum(outcome.gap.made for outcome in outcomes),
        "gaps_noticed": sum(outcome.gap.noticed for outcome in outcomes),
        "gap_noticed_s_p50": share_of(noticed_s, 0.5),
        "gap_noticed_s_p99": share_of(noticed_s, 0.99),
        "rounds": len(rounds),
        "tables": len({each.table for each in rounds}),
        "sites": dict(sorted(Counter(each.site for each in rounds).items())),
        "rotations": sum(each.rotations for each in rounds),
        "falls": sum(each.falls for each in rounds),
        "seconds": round(sum(each.seconds for each in rounds), 1),
        "commits": len(took_ms),
        "commit_ms_p50": share_of(took_ms, 0.5),
        "commit_ms_p99": share_of(took_ms, 0.99),
        "not_healed": sum(outcome.healed_s is None for outcome in outcomes),
        "findings": [f"round {each.number + 1}: {finding}" for each in rounds for finding in each.findings],
        "kept": [each.kept for each in rounds if each.kept],
        "kinds": {kind: _cost(times) for kind, times in sorted(healed_s.items())},
    }


def keeps_promises(figures: Mapping[str, object]) -> bool:
    """Whether nothing was lost, nothing doubled, every gap noticed, and nothing left waiting."""
    is_whole = not any(figures[name] for name in (*PROMISES, "findings"))
    return is_whole and figures["gaps_noticed"] == figures["gaps_made"]


def share_of(ascending: Sequence[float], share: float) -> float | None:
    """The value that so large a share does not exceed; None of nothing."""
    return ascending[max(0, ceil(share * len(ascending)) - 1)] if ascending else None


def _cost(times_s: Iterable[float | None]) -> dict[str, object]:
    times = list(times_s)
    healed = sorted(time_s for time_s in times if time_s is not None)
    return {"drawn": len(times), "healed_s_p50": share_of(healed, 0.5), "healed_s_p99": share_of(healed, 0.99)}
