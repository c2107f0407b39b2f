"""The table of faults, and which of them a seed draws."""

import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from edge.bench.delivery import box_faults, county_faults, identity_faults
from edge.bench.delivery.box import BoxUnderTest
from edge.bench.delivery.site import Site
from edge.bench.delivery.stage import Gap, Stage

OnBox: TypeAlias = Callable[[Stage, BoxUnderTest, random.Random], Awaitable[Gap]]
OnCounty: TypeAlias = Callable[[Stage, random.Random], Awaitable[Gap]]

PATIENCE_S = 1.0
"""So long a box is left alone after a fault, to recover; then the next one comes all the same."""

SILENCE_PATIENCE_S = 40.0
"""The same where a dead connection has to be noticed, which takes up to two keep-alives."""

LONG_ROUND = 100
"""In rounds of fewer faults nobody has time for that."""


Fits: TypeAlias = Callable[[Site], bool]


def everywhere(_site: Site) -> bool:
    """It can happen to any county."""
    return True


def has_mosquitto(site: Site) -> bool:
    """The embedded broker has neither a link to the centre nor anything on its disk."""
    return site.broker == "mosquitto"


def has_postgres(site: Site) -> bool:
    """Of the round's own: somebody else's is not killed."""
    return site.database == "postgresql" and not site.database_url


def has_workers(site: Site) -> bool:
    """Processes that take messages in."""
    return site.workers > 0


def has_tls(site: Site) -> bool:
    """Boxes show certificates."""
    return site.tls


def is_plain(site: Site) -> bool:
    """Only what is not encrypted can be meddled with."""
    return not site.tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault: `weight` says how often it is drawn where it `fits`. `patience_s`: see above."""

    name: str
    weight: int
    on_box: OnBox | None = None
    on_county: OnCounty | None = None
    patience_s: float = PATIENCE_S
    fits: Fits = everywhere
    is_rare: bool = False
    """Not in every round: it stops everything for half a minute."""

    needs_one_journal: bool = False
    """It leaves a gap, which says nothing in a journal that was forked: a number stands for several records there."""


KINDS = (
    Kind(name="box_killed", weight=14, on_box=box_faults.kill),
    Kind(name="box_killed_at_write", weight=24, on_box=box_faults.kill_at_boundary),
    Kind(name="link_cut", weight=8, on_box=box_faults.cut),
    Kind(name="link_stalled", weight=5, on_box=box_faults.stall),
    Kind(name="link_half_open", weight=1, on_box=box_faults.half_open, patience_s=SILENCE_PATIENCE_S),
    Kind(name="link_thin", weight=3, on_box=box_faults.thin),
    Kind(name="link_lossy", weight=3, on_box=box_faults.lossy),
    Kind(name="day_alone", weight=2, on_box=box_faults.day_alone),
    Kind(name="box_disk_full", weight=4, on_box=box_faults.disk_full),
    Kind(name="outbox_full", weight=4, on_box=box_faults.outbox_full),
    Kind(name="clock_jump", weight=4, on_box=box_faults.clock_jump),
    Kind(name="box_born_in_1970", weight=3, on_box=box_faults.born_in_1970),
    Kind(name="key_rotated", weight=4, on_box=identity_faults.rotate_key),
    Kind(name="key_asked_for", weight=1, on_box=identity_faults.rotate_key_from_afar),
    Kind(name="certificate_lost", weight=3, on_box=identity_faults.lose_certificate, fits=has_tls),
    Kind(name="records_doubled", weight=4, on_box=box_faults.doubled, fits=is_plain),
    Kind(name="records_shuffled", weight=4, on_box=box_faults.shuffled, fits=is_plain),
    Kind(name="records_withheld", weight=4, on_box=box_faults.withheld, fits=is_plain, needs_one_journal=True),
    Kind(name="record_removed", weight=2, on_box=box_faults.removed, needs_one_journal=True),
    Kind(name="box_cloned", weight=1, on_box=identity_faults.cloned),
    Kind(name="box_set_back", weight=1, on_box=identity_faults.set_back),
    Kind(name="centre_killed", weight=1, on_county=county_faults.kill_centre),
    Kind(name="centre_killed_at_write", weight=1, on_county=county_faults.kill_centre_at_write),
    Kind(name="centre_disk_full", weight=2, on_county=county_faults.centre_disk_full),
    Kind(name="centre_clock_jump", weight=2, on_county=county_faults.centre_clock_jump),
    Kind(name="worker_killed", weight=1, on_county=county_faults.kill_worker, fits=has_workers),
    Kind(name="worker_killed_at_write", weight=2, on_county=county_faults.kill_worker_at_write, fits=has_workers),
    Kind(name="database_killed", weight=2, on_county=county_faults.kill_database, fits=has_postgres),
    Kind(name="database_disk_full", weight=1, on_county=county_faults.database_disk_full, fits=has_postgres),
    Kind(name="broker_killed", weight=1, on_county=county_faults.kill_broker),
    Kind(name="broker_killed_at_piece", weight=1, on_county=county_faults.kill_broker_at_piece),
    Kind(name="broker_killed_at_write", weight=1, on_county=county_faults.kill_broker_at_write, fits=has_mosquitto),
    Kind(name="broker_wiped", weight=1, on_county=county_faults.wipe_broker, fits=has_mosquitto),
    Kind(name="centre_cut", weight=2, on_county=county_faults.cut_centre, fits=has_mosquitto),
    Kind(name="centre_stalled", weight=2, on_county=county_faults.stall_centre, fits=has_mosquitto),
    Kind(
        name="centre_half_open",
        weight=1,
        on_county=county_faults.centre_half_open,
        patience_s=SILENCE_PATIENCE_S,
        fits=has_mosquitto,
        is_rare=True,
    ),
)


TABLE = hashlib.sha256(repr([(each.name, each.weight) for each in KINDS]).encode()).hexdigest()[:8]
"""Names what a seed draws from: another table, another draw."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One drawn fault, and where its own chances begin."""

    kind: Kind
    seed: int


def draw(count: int, seed: int, site: Site) -> Sequence[Fault]:
    """So many faults, each usual kind once if there is room; those that take long first, those that stop all last."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    kinds = [kind for kind in KINDS if kind.fits(site) and (count >= LONG_ROUND or kind.patience_s == PATIENCE_S)]
    usual = [kind for kind in kinds if not kind.is_rare]
    once = chance.sample(usual, min(count, len(usual)))
    drawn = once + chance.choices(kinds, [kind.weight for kind in kinds], k=count - len(once))
    chance.shuffle(drawn)
    drawn.sort(key=lambda kind: (kind.is_rare, -kind.patience_s))
    return [Fault(kind, chance.getrandbits(31)) for kind in drawn]
