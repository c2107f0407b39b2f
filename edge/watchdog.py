"""Tells systemd that the box is ready, alive, and what it is doing: the sd_notify protocol, one datagram each."""

import os
import socket
import time


class Watchdog:
    """Speaks to the socket in NOTIFY_SOCKET; without one (a terminal, a container) it says nothing."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        """`environment` defaults to the process's own."""
        variables = os.environ if environment is None else environment
        address = variables.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._every_s = int(variables.get("WATCHDOG_USEC", "0") or 0) / 1e6 / 3
        self._due_s = 0.0

    def ready(self) -> None:
        """Start-up is over."""
        self._send("READY=1")

    def alive(self, status: str) -> None:
        """The loop still turns; sent a little more often than the service manager asks for."""
        now_s = time.monotonic()
        if self._every_s and now_s >= self._due_s:
            self._due_s = now_s + self._every_s
            self._send(f"WATCHDOG=1\nSTATUS={status}")

    def stopping(self) -> None:
        """An orderly end has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto(message.encode(), self._address)
            except OSError:
                self._address = ""
