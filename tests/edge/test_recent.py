import gc
import threading
import time
from collections.abc import Iterator

import pytest

from edge.recent import Recent


@pytest.fixture
def interrupted() -> Iterator[None]:
    """Whoever makes something new is interrupted at once, as by a collection of garbage at a bad moment."""

    def pause(_phase: str, _info: dict[str, int]) -> None:
        time.sleep(0.0001)

    threshold = gc.get_threshold()
    gc.callbacks.append(pause)
    gc.set_threshold(1)
    yield
    gc.set_threshold(*threshold)
    gc.callbacks.remove(pause)


@pytest.mark.usefixtures("interrupted")
def test_values_are_read_while_others_are_added() -> None:
    recent, filled, stopped = Recent(50), threading.Event(), threading.Event()

    def tell() -> None:
        number = 0
        while not stopped.is_set():
            recent.add(float(number))
            number += 1
            if number == 50:
                filled.set()

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        assert filled.wait(30)
        for _ in range(50):
            values = recent.values
            assert values == tuple(sorted(values))
    finally:
        stopped.set()
        teller.join()
    assert len(recent.values) == 50
