"""The file of keys that readers of bundles trust, as this centre's database has it: `teawatch center keys export`."""

from datetime import datetime

from sqlalchemy.orm import Session

from alerts.bundles.trust import CentreKey, DeviceKey, KeySpan, Trust
from center.boxes.devices import list_devices
from center.boxes.keys import KeyValidity, list_keys
from center.log.heads import Notary


def trust_of(session: Session, notary: Notary, *, at: datetime) -> Trust:
    """The centre's key, its log's, and every key that a box ever had, with the records that each vouches for."""
    tenant, centre = notary.tenant, notary.key.verify_key
    boxes = list_devices(session, tenant)
    return Trust(
        tenant=tenant,
        written_at=at,
        centre_keys=(CentreKey(key_id=centre.key_id, key=centre.to_text()),),
        device_keys=tuple(_trusted(key) for box in boxes for key in list_keys(session, tenant, box.id)),
        log_keys=(notary.verifier,),
    )


def _trusted(validity: KeyValidity) -> DeviceKey:
    return DeviceKey(
        key_id=validity.key.key_id,
        key=validity.key.to_text(),
        device=validity.device,
        enrolled_at=validity.since,
        retired_at=validity.ended_at,
        spans=tuple(KeySpan(epoch=each.epoch, first=each.first, last=each.last) for each in validity.reaches),
    )
