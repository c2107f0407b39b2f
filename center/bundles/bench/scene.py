"""Bundles to be mutated: real boxes' journals through a real centre's intake, exported as an officer would.

The cases differ as cases do: closed and open, with and without clips, with records of other incidents between, with a
record that never came, a file that never came, a key that was replaced, a clock that was never set, with a recording
that an officer added, with a redacted copy that was released, with a head of the log that an authority stamped.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from cryptography.x509 import Certificate

from alerts.bundles.trust import Trust
from alerts.keys import SigningKey
from alerts.messages import (
    Clock,
    ClockQuality,
    Phase,
)
from alerts.stamps import load_roots
from center.bundles.bench.box import SpeakingBox
from center.bundles.bench.centre import Case, Centre
from center.bundles.trusting import trust_of
from center.logs import set_up


@dataclass(frozen=True, slots=True)
class Scene:
    """Intact bundles, the keys to check them with, and the secret keys that an insider or an attacker would have."""

    cases: Sequence[Case]
    trust: Trust
    centre: SigningKey
    boxes: Sequence[SigningKey]
    stranger: SigningKey
    roots: Sequence[Certificate] = ()
    strange_stamps: Mapping[bytes, bytes] = field(default_factory=dict)
    """By the stamped head what another authority, whom nobody trusts, says of it."""


@contextmanager
def open_scene(seed: int) -> Iterator[Scene]:
    """Bundles of eight cases of three boxes. The keys are new each time: a seed must not make keys."""
    set_up("error")
    random = Random(seed)  # noqa: S311 - what a bench draws must come out the same again
    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        centre = Centre(Path(folder), random)
        try:
            yield _scene(centre)
        finally:
            centre.office.database.close()


def _scene(centre: Centre) -> Scene:
    first, second, third = (
        SpeakingBox(centre, "box-1"),
        SpeakingBox(centre, "box-2"),
        SpeakingBox(centre, "box-3", ClockQuality.UNSYNCHRONISED),
    )
    first.tell("i-1")
    first.tell("i-2", clip=False)
    first.tell("i-3", revisions=2, closed=False)
    second.tell("i-1", revisions=5)
    centre.stamp_head()
    second.write(second.alert("i-2", 1, Phase.OPENED, second.file("picture", comes=False)))
    second.write(Clock(boot="b", monotonic_ms=9, utc=second.time, quality=ClockQuality.SYNCHRONISED), sent=False)
    second.write(second.alert("i-2", 2, Phase.CLOSED))
    centre.at += timedelta(minutes=1)
    second.renew_key()
    second.tell("i-3")
    third.tell("i-1")
    ids = ("box-1.i-1", "box-1.i-2", "box-1.i-3", "box-2.i-1", "box-2.i-2", "box-2.i-3", "box-3.i-1")
    centre.at += timedelta(minutes=1)
    centre.note_files()
    centre.add_recording("box-1.i-1")
    centre.add_recording("box-2.i-3")
    centre.add_copy("box-1.i-2")
    centre.add_copy("box-2.i-3")
    centre.at += timedelta(minutes=1)
    cases = tuple(centre.export(each) for each in ids)
    signing = centre.office.keyring.signing_key
    with centre.office.database.reading() as session:
        trust = trust_of(session, centre.office.notary, at=centre.at)
    keys = (*first.keys, *second.keys, *third.keys)
    roots = load_roots(centre.authorities[0].roots) if centre.authorities else ()
    return Scene(cases, trust, signing, keys, SigningKey.generate(), roots, centre.strange_stamps)
