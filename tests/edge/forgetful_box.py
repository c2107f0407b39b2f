"""A box that believes the broker: it forgets a record as soon as it was sent. `python -m tests.edge.forgetful_box`."""

from collections.abc import Mapping
from dataclasses import replace

from alerts.publisher import Publisher
from edge.bench.delivery.life import Sending
from edge.bench.delivery.life import make_publisher as make_honest_publisher
from edge.bench.delivery.nursery import main


def make_publisher(parts: Sending) -> Publisher:
    def forget(event: str, detail: Mapping[str, object]) -> None:
        if event == "record_sent":
            with parts.outbox.transaction() as transaction:
                transaction.connection.execute("DELETE FROM records WHERE sequence = ?", (detail["sequence"],))
        parts.on_event(event, detail)

    return make_honest_publisher(replace(parts, on_event=forget))


if __name__ == "__main__":
    main(make_publisher)
