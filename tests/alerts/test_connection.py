"""The connection by itself: how it comes back, and what it says when somebody keeps pushing it out."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from alerts.connection import BRIEF_LIVES, PATIENT_REFUSALS, Address, Connection
from tests.alerts.brokers import Broker
from tests.alerts.parts import BOX_USER, Log


class Pauses:
    """Stands where `backoff_s` does: notes which attempt each pause is for, and makes it short."""

    def __init__(self) -> None:
        self.attempts: list[int] = []

    def __call__(self, attempt: int) -> float:
        self.attempts.append(attempt)
        return 0.01


@contextmanager
def connected(port: int, log: Log, client_id: str = "teawatch-box-1-copied") -> Iterator[Connection]:
    connection = Connection(
        Address(host="127.0.0.1", port=port, username=BOX_USER[0], password=BOX_USER[1]),
        client_id=client_id,
        clean_session=True,
        filters=(),
        on_up=lambda: log("up", {}),
        on_down=lambda reason: log("down", {"reason": reason}),
        on_message=lambda _: None,
        if_refused="enrol this box again",
    )
    connection.start()
    try:
        yield connection
    finally:
        connection.stop()


def test_two_boxes_from_one_state_folder_push_each_other_out_ever_more_slowly_and_say_so(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = Pauses()
    monkeypatch.setattr("alerts.connection.backoff_s", pauses)
    broker.start()
    logs = (Log(), Log())
    with ExitStack() as both:
        for log in logs:
            both.enter_context(connected(broker.port, log))
        for lives in range(1, 4 * BRIEF_LIVES):
            reasons = [str(down["reason"]) for down in logs[0].wait("down", lives)]
            if "is another 'teawatch-box-1-copied' running" in reasons[-1]:
                break
    assert "is another 'teawatch-box-1-copied' running" in reasons[-1]
    assert not any("is another" in reason for reason in reasons[: BRIEF_LIVES - 1])
    assert max(pauses.attempts) >= BRIEF_LIVES
    assert BRIEF_LIVES < PATIENT_REFUSALS


def test_a_connection_that_held_comes_back_after_the_first_pause(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = Pauses()
    monkeypatch.setattr("alerts.connection.STEADY_S", 0.0)
    monkeypatch.setattr("alerts.connection.backoff_s", pauses)
    broker.start()
    log = Log()
    with connected(broker.port, log):
        log.wait("up")
        broker.kill()
        log.wait("down")
        broker.start()
        log.wait("up", 2)
    assert pauses.attempts[0] == 1


def test_ten_megabytes_from_one_client_end_its_connection_and_nobody_elses(broker: Broker) -> None:
    broker.start()
    log, others = Log(), Log()
    with connected(broker.port, log, "flooding") as flooding, connected(broker.port, others) as quiet:
        log.wait("up")
        others.wait("up")
        flooding.publish("teawatch/v1/demo-county/box-1/journal", bytes(10 * 2**20))
        log.wait("down")
        assert quiet.is_up
        assert others.named("down") == []
