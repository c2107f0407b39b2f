import socket
from pathlib import Path

import pytest

from edge.watchdog import Watchdog


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_that_the_box_is_ready_alive_and_stopping(tmp_path: Path, abstract: bool) -> None:
    name = f"@{tmp_path}/notify" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
        service_manager.bind("\0" + name[1:] if abstract else name)
        service_manager.settimeout(5)
        watchdog = Watchdog({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
        watchdog.ready()
        watchdog.alive("watching")
        watchdog.alive("watching")  # too early: not sent
        watchdog.stopping()
        said = [service_manager.recv(200).decode() for _ in range(3)]
    assert said == ["READY=1", "WATCHDOG=1\nSTATUS=watching", "STOPPING=1"]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "1000000"}])
def test_without_a_service_manager_nothing_happens(environment: dict[str, str]) -> None:
    watchdog = Watchdog(environment)
    watchdog.ready()
    watchdog.alive("watching")
    watchdog.stopping()
