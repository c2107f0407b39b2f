"""Handing a bundle out of the centre: made, and noted as transferred before a byte leaves.

The bundle itself is noted by the hash of its seal, whether or not it has files; each file in it besides.
"""

from dataclasses import dataclass
from typing import BinaryIO

from center.accounts.people import officers_of
from center.bundles.exporting import Exported, Sealer, export_bundle
from center.evidence.custody import Act, note_custody, say_why
from center.log.heads import publish_head
from center.office import Office
from enforcement.errors import NotAllowed
from enforcement.leads import Lead


@dataclass(frozen=True, slots=True)
class Hand:
    """Who takes a bundle out, and why."""

    person: str
    reason: str


def hand_out(office: Office, lead_id: str, target: BinaryIO, hand: Hand) -> Exported:
    """Write a lead's bundle, sealed now, and note the transfer. Raises BundleImpossible, OSError.

    Raises:
        NoteMissing: no reason in words.
        NotAllowed: that is nobody who may take evidence out.
    """
    at, tenant, reason = office.now(), office.settings.tenant, say_why(hand.reason)
    with office.database.reading() as session:
        if hand.person not in officers_of(session, tenant):
            raise NotAllowed(
                f"{hand.person!r} may not take evidence out: that needs an officer's account or the head's"
            )
    sealer = Sealer(tenant, office.keyring.signing_key, office.evidence, office.settings.data)
    with office.database.writing() as session:
        publish_head(session, office.notary, at)
    with office.database.reading(snapshot=True) as session:
        exported = export_bundle(session, sealer, lead_id, target, at=at)
    with office.database.writing() as session:
        session.get_one(Lead, (tenant, lead_id), with_for_update=True)  # retention decides before this or knows of it
        for sha256 in (exported.seal_sha256, *exported.files):
            note_custody(
                session,
                tenant=tenant,
                act=Act.TRANSFERRED,
                sha256=sha256,
                who=hand.person,
                reason=reason,
                lead_id=lead_id,
                at=at,
            )
    return exported
