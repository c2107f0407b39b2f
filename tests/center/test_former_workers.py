"""Workers of intake that are no more leave no session behind at the broker in which messages pile up."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from structlog.testing import capture_logs

from alerts.connection import Address
from alerts.errors import TlsTrouble
from alerts.subscriber import Incoming, Subscriber, end_session
from alerts.topics import Channel, Topic
from center.intake.former import COUNT_FILE, FormerWorkers
from tests.alerts.brokers import Broker, IotcoreBroker, MosquittoBroker

PATIENCE_S = 15
CENTRE, TENANT = "teawatch-center", "county"


@pytest.fixture(
    params=[pytest.param(MosquittoBroker, marks=pytest.mark.system("mosquitto")), IotcoreBroker],
    ids=["mosquitto", "embedded"],
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    with request.param(tmp_path, {CENTRE: "secret"}) as running:
        yield running


def address(broker: Broker) -> Address:
    return Address(host="127.0.0.1", port=broker.port, username=CENTRE, password="secret")


def leave_session(broker: Broker, name: str) -> None:
    """A worker that was up once, heard a message and was killed."""
    heard = threading.Event()

    def take(_messages: object) -> tuple[Incoming, ...]:
        heard.set()
        return ()

    place = address(broker)
    fields = {"host": place.host, "port": place.port, "username": place.username, "password": place.password}
    with Subscriber(**fields, tenant=TENANT, name=name, on_messages=take) as worker:
        while not heard.wait(0.05):
            worker.publish(Topic(TENANT, "box", Channel.JOURNAL), b"{}")


def has_session(broker: Broker, name: str) -> bool:
    """What the broker says when somebody of that name comes back."""
    found: list[bool] = []
    connected = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"teawatch-center-{TENANT}-{name}", clean_session=False)
    client.username_pw_set(CENTRE, "secret")

    def up(_client: Any, _data: Any, flags: Any, _code: Any, _properties: Any) -> None:
        found.append(flags.session_present)
        connected.set()

    client.on_connect = up
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert connected.wait(PATIENCE_S)
    client.disconnect()
    client.loop_stop()
    return found[0]


def test_a_session_that_was_ended_is_gone_and_another_worker_s_stays(broker: Broker) -> None:
    for name in ("1of3", "2of3"):
        leave_session(broker, name)
    assert end_session(address(broker), tenant=TENANT, name="2of3")
    assert not has_session(broker, "2of3")
    assert has_session(broker, "1of3")


def test_when_the_count_changes_each_former_worker_is_ended_once_the_broker_answers(tmp_path: Path) -> None:
    asked: list[str] = []

    def end(name: str) -> bool:
        asked.append(name)
        return len(asked) > 1

    (tmp_path / COUNT_FILE).write_text("3")
    FormerWorkers(tmp_path, 2, end, again_s=0.01).run()
    assert asked == ["1of3", "1of3", "2of3", "3of3"]
    assert (tmp_path / COUNT_FILE).read_text() == "2"
    assert FormerWorkers(tmp_path, 2, end).names() == []


@pytest.mark.parametrize("error", [FileNotFoundError("no such file"), TlsTrouble("no certificate")])
def test_what_goes_wrong_on_the_way_to_the_broker_is_told_and_tried_again(tmp_path: Path, error: Exception) -> None:
    answers = iter([error, None])

    def end(_name: str) -> bool:
        if (answer := next(answers)) is not None:
            raise answer
        return True

    (tmp_path / COUNT_FILE).write_text("1")
    with capture_logs() as told:
        FormerWorkers(tmp_path, 0, end, again_s=0.01).run()
    assert [(each["event"], each.get("reason")) for each in told] == [
        ("session_not_ended", str(error)),
        ("worker_session_ended", None),
    ]
    assert (tmp_path / COUNT_FILE).read_text() == "0"


@pytest.mark.parametrize(("before", "names"), [(None, []), ("2", []), ("0", []), ("1", ["1of1"]), ("rubbish", [])])
def test_only_workers_of_another_count_are_former(tmp_path: Path, before: str | None, names: list[str]) -> None:
    if before is not None:
        (tmp_path / COUNT_FILE).write_text(before)
    assert FormerWorkers(tmp_path, 2, lambda _name: True).names() == names


def test_stopped_before_the_broker_answered_it_asks_again_at_the_next_start(tmp_path: Path) -> None:
    asked = threading.Event()

    def fail(_name: str) -> bool:
        asked.set()
        return False

    (tmp_path / COUNT_FILE).write_text("1")
    former = FormerWorkers(tmp_path, 0, fail)
    former.start()
    assert asked.wait(PATIENCE_S)
    former.stop()
    assert FormerWorkers(tmp_path, 0, fail).names() == ["1of1"]
