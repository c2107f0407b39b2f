"""What a dead box had committed and the centre has not confirmed: read from its outbox, past the product."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from alerts import dsse
from alerts.messages import Alert, KeyRotation, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A record that waits, and the files it announces. `incident` is empty for what is no alert.

    One that `is_spare` neither begins an incident nor announces a file.
    """

    epoch: str
    sequence: int
    incident: str
    files: frozenset[str]
    is_spare: bool
    is_rotation: bool


def read_leftovers(raws: Iterable[bytes]) -> list[Leftover]:
    """Whichever key signed them: the box may have had several meanwhile."""
    return [_read(raw) for raw in raws]


def _read(raw: bytes) -> Leftover:
    event = json.loads(dsse.read_envelope(raw).payload)
    data, is_alert = event["data"], event["type"] == Alert.TYPE
    files = frozenset(file["sha256"] for file in (*data.get("evidence", ()), *data.get("artefacts", ())))
    is_spare = is_alert and data["phase"] != Phase.OPENED and not files
    return Leftover(
        epoch=event["epoch"],
        sequence=event["sequence"],
        incident=data["incident"] if is_alert else "",
        files=files,
        is_spare=is_spare,
        is_rotation=event["type"] == KeyRotation.TYPE,
    )
