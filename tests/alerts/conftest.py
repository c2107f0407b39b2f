"""Brokers for the tests of the wire: everything that must hold, holds with each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.blobs import BlobStore
from alerts.identity import Identity
from alerts.outbox import Outbox
from tests.alerts import parts
from tests.alerts.brokers import Broker, IotcoreBroker, MosquittoBroker


@pytest.fixture(
    params=[
        pytest.param(IotcoreBroker, id="iotcore"),
        pytest.param(MosquittoBroker, id="mosquitto", marks=pytest.mark.system("mosquitto")),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker that is not started yet; stopped at the end."""
    folder = tmp_path / "broker"
    folder.mkdir()
    made = request.param(folder, parts.PASSWORDS)
    yield made
    made.stop()


@pytest.fixture
def identity(broker: Broker) -> Identity:
    return parts.make_identity(mqtt_port=broker.port)


@pytest.fixture
def outbox(tmp_path: Path, identity: Identity) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.db", identity=identity) as opened:
        yield opened


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "evidence")
