"""What the rooms of the centre share: its settings, database, feed, store of evidence, keys, works and clock.

Made once, in `center/app.py`; a route reaches it through `office_of(request)`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import Request

from center.accounts.throttle import Throttle
from center.database import Database
from center.evidence.disposal import Disposal
from center.evidence.redactor import Redactor
from center.evidence.thumbnails import Thumbnails
from center.feed.hub import Hub
from center.feed.wires import WireEar
from center.intake.desk import Desk
from center.intake.former import FormerWorkers
from center.intake.recalling import Recaller
from center.keyring import Keyring
from center.log.heads import Notary
from center.log.publishing import HeadClock
from center.log.selfcheck import SelfCheck
from center.settings import Settings
from center.store.gate import Gate
from center.store.shelf import Shelf
from center.timekeeping import Timekeeper
from center.works import Works


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One running centre."""

    settings: Settings
    database: Database
    hub: Hub
    keyring: Keyring
    evidence: Shelf
    gate: Gate
    thumbnails: Thumbnails
    redactor: Redactor
    works: Works
    desk: Desk
    wire: WireEar
    notary: Notary
    heads: HeadClock
    self_check: SelfCheck
    recaller: Recaller
    former: FormerWorkers
    now: Callable[[], datetime]
    timekeeper: Timekeeper
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def disposal(self) -> Disposal:
        """The rules of retention, applied to this centre's evidence."""
        return Disposal(self.database, self.evidence, self.thumbnails, self.settings.tenant, self.settings.retention)

    @property
    def secure(self) -> bool:
        """Whether people reach the centre over https, so that cookies may insist on it."""
        return self.settings.url.startswith("https:")


def office_of(request: Request) -> Office:
    """The centre that serves this request."""
    office: Office = request.app.state.office
    return office
