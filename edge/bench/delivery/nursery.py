"""Where boxes are born: `python -m edge.bench.delivery.nursery`, orders on standard input, news on standard output.

It imports everything once and forks, so that a box that was killed lives again at once. A life is a process of its
own that ends only by SIGKILL, its own doom or this one's end.
"""

import json
import os
import selectors
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import cv2

from edge.announcements import set_up_log
from edge.bench.delivery.ending import end_with_parent
from edge.bench.delivery.life import MakePublisher, live, make_publisher
from edge.bench.delivery.orders import read_birth, write_line

FAILED = 70
READ_BYTES = 65536


def say(box: str, message: Mapping[str, object]) -> None:
    """One line of news of a box, written at once: several threads and lives share the pipe."""
    os.write(sys.stdout.fileno(), write_line({"box": box, **message}))


class Lines:
    """Whole lines out of a descriptor, as JSON objects."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self._lines: list[bytes] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_READ)

    def next(self, timeout_s: float) -> Mapping[str, Any] | None:
        """The next one, None after so long. Raises SystemExit at the end of the input."""
        while not self._lines:
            if not self._selector.select(timeout_s):
                return None
            data = os.read(self._descriptor, READ_BYTES)
            if not data:
                raise SystemExit
            *self._lines, self._rest = (self._rest + data).split(b"\n")
        line: Mapping[str, Any] = json.loads(self._lines.pop(0))
        return line


class Child:
    """The life of one box; `tell` passes it an order."""

    def __init__(self, order: Mapping[str, Any], make: MakePublisher) -> None:
        self.box = str(order["box"])
        theirs, self._ours = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._ours)
            _live(self.box, order, theirs, make)
        os.close(theirs)
        self.end = os.pidfd_open(self.pid)
        say(self.box, {"event": "born", "pid": self.pid})

    def tell(self, order: Mapping[str, Any]) -> None:
        """An order that comes too late is none."""
        with suppress(BrokenPipeError):
            os.write(self._ours, write_line(order))

    def kill(self) -> None:
        """The end, at whatever it is."""
        signal.pidfd_send_signal(self.end, signal.SIGKILL)

    def bury(self) -> None:
        """It has died: nothing of it stays."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.end)
        os.close(self._ours)
        say(self.box, {"event": "died", "code": os.waitstatus_to_exitcode(status)})


def _live(box: str, order: Mapping[str, Any], orders: int, make: MakePublisher) -> None:
    def say_for_box(message: Mapping[str, object]) -> None:
        say(box, message)

    try:
        end_with_parent()
        live(read_birth(order), say_for_box, Lines(orders).next, make)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        say(box, {"event": "failed", "reason": f"{type(error).__name__}: {error}"[:300]})
    finally:
        os._exit(FAILED)


class Nursery:
    """Bears and buries, one life of each box at a time; those that live when it ends die with it."""

    def __init__(self, make: MakePublisher) -> None:
        self._make = make
        self._children: dict[str, Child] = {}
        self._orders = Lines(sys.stdin.fileno())

    def run(self) -> None:
        """Until the input ends."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(sys.stdin.fileno(), selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    if key.data is None:
                        while (order := self._orders.next(0)) is not None:
                            self._follow(order, waiting)
                    else:
                        waiting.unregister(key.fd)
                        self._children.pop(key.data).bury()

    def _follow(self, order: Mapping[str, Any], waiting: selectors.BaseSelector) -> None:
        child = self._children.get(order["box"])
        if order["do"] == "live":
            child = self._children[order["box"]] = Child(order, self._make)
            waiting.register(child.end, selectors.EVENT_READ, child.box)
        elif child is not None and order["do"] == "kill":
            child.kill()
        elif child is not None:
            child.tell(order)


def main(make: MakePublisher = make_publisher) -> None:
    """Serve one bench."""
    end_with_parent()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    cv2.setNumThreads(1)
    set_up_log(as_json=True)
    if find_spec("c2pa") is not None:
        import_module("c2pa")
    Nursery(make).run()


if __name__ == "__main__":
    main()
