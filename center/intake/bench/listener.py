"""The ceiling, as a process: a bare paho subscriber receives what waits for it, and says how long that took."""

import json
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from center.intake.bench.pinning import pin

PATIENCE_S = 120


def main() -> None:
    """Arguments as one JSON object: port, username, password, client_id, count, core."""
    given = json.loads(sys.argv[1])
    pin(given["core"])
    all_here = threading.Event()
    count = 0
    connected_s = connected_cpu_s = 0.0

    def connected(*_: Any) -> None:  # noqa: ANN401 - paho's signature
        nonlocal connected_s, connected_cpu_s
        connected_s, connected_cpu_s = time.monotonic(), time.process_time()

    def received(*_: Any) -> None:  # noqa: ANN401 - paho's signature
        nonlocal count
        count += 1
        if count == given["count"]:
            all_here.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=given["client_id"], clean_session=False)
    client.username_pw_set(given["username"], given["password"])
    client.on_connect, client.on_message = connected, received
    client.connect("127.0.0.1", given["port"])
    client.loop_start()
    is_complete = all_here.wait(PATIENCE_S)
    seconds, cpu_s = time.monotonic() - connected_s, time.process_time() - connected_cpu_s
    client.disconnect()
    client.loop_stop()
    print(json.dumps({"count": count, "seconds": seconds, "cpu_s": cpu_s, "complete": is_complete}))  # noqa: T201 - read by the bench


if __name__ == "__main__":
    main()
