"""What the centre asks of a box: signed by its pinned key, for one outbox, with counter and expiry."""

from datetime import datetime, timedelta

from alerts import events
from alerts.keys import SigningKey
from alerts.messages import Event, RotateKey

COMMANDS = {RotateKey.TYPE: RotateKey}
"""What a box follows. No command names a path, an address or a program."""


def write_command(
    command: RotateKey,
    *,
    key: SigningKey,
    tenant: str,
    device: str,
    epoch: str,
    counter: int,
    at: datetime,
    lifetime: timedelta,
) -> bytes:
    """Seal a command for one outbox of one box; `counter` as for a receipt: it grows for ever."""
    event = Event(
        id=f"{device}-{epoch}-command-{counter}",
        source=f"urn:teawatch:{tenant}:center",
        type=command.TYPE,
        time=at,
        tenant=tenant,
        device=device,
        epoch=epoch,
        counter=counter,
        expires=at + lifetime,
        data=events.to_data(command),
    )
    return events.seal_event(event, key)
