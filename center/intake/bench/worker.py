"""Intake, as a process: takes in what waits for it, as a centre does, and says how long that took."""

import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from alerts.freshness import claims_now
from alerts.subscriber import Incoming, Subscriber
from center import garbage
from center.app import filing_rules, make_office
from center.intake.bench.pinning import pin
from center.intake.desk import Desk
from center.keyring import load_keyring
from center.logs import set_up
from center.settings import load_settings

PATIENCE_S = 300


def main() -> None:
    """Arguments as one JSON object: data (the centre's folder), count, warm, core.

    After the first `warm` messages the clock runs: a centre that has been open for a minute knows its register.
    """
    given = json.loads(sys.argv[1])
    pin(given["core"])
    set_up("error")
    settings = load_settings(Path(given["data"]))
    office = make_office(settings, load_keyring(settings))
    all_here = threading.Event()
    taken = set[bytes]()
    began, began_s, began_cpu_s, batches = 0, 0.0, 0.0, 0

    def take(messages: Sequence[Incoming]) -> Sequence[Incoming]:
        nonlocal began, began_s, began_cpu_s
        warming = max(0, given["warm"] - len(taken))
        left = take_in(messages[:warming]) if warming else []
        if not began and len(taken) >= given["warm"]:
            began, began_s, began_cpu_s = len(taken), time.monotonic(), time.process_time()
        left += take_in(messages[warming:])
        if len(taken) >= given["count"]:
            all_here.set()
        return left

    def take_in(messages: Sequence[Incoming]) -> list[Incoming]:
        nonlocal batches
        batches += 1
        left = list(desk.receive_all(messages))
        taken.update(message.raw for message in messages)
        taken.difference_update(message.raw for message in left)
        return left

    mqtt = settings.mqtt
    subscriber = Subscriber(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=office.keyring.center_password,
        tenant=settings.tenant,
        on_messages=take,
        is_pressing=lambda arrival: claims_now(arrival, office.now()),
    )
    desk = Desk(office.database, filing_rules(settings, office.keyring), send=subscriber.publish, now=office.now)
    garbage.settle()
    with subscriber:
        is_complete = all_here.wait(PATIENCE_S)
        seconds, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    office.database.close()
    measured = len(taken) - began
    said = {"count": len(taken), "measured": measured, "batches": batches, "seconds": seconds, "cpu_s": cpu_s}
    print(json.dumps(said | {"complete": is_complete}))  # noqa: T201 - read by the bench


if __name__ == "__main__":
    main()
