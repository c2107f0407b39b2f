"""A box that believes the broker: it forgets a record as soon as it was sent. `python -m tests.edge.forgetful_box`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.publisher import OnEvent, Publisher
from edge.bench.delivery.nursery import main


def make_publisher(outbox: Outbox, identity: Identity, on_event: OnEvent, now: Callable[[], datetime]) -> Publisher:
    def forget(event: str, detail: Mapping[str, object]) -> None:
        if event == "record_sent":
            with outbox.transaction() as transaction:
                transaction.connection.execute("DELETE FROM records WHERE sequence = ?", (detail["sequence"],))
        on_event(event, detail)

    return Publisher(outbox, identity, on_event=forget, now=now)


if __name__ == "__main__":
    main(make_publisher)
