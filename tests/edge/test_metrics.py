"""What Prometheus and `teawatch edge top` are told about a running box."""

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.parser import text_string_to_metric_families
from pydantic import TypeAdapter

from edge.memory import peak_resident_mib, resident_mib
from edge.metrics import BoxCollector, Latencies, TakeSnapshot
from edge.metrics_server import MetricsServer, served
from edge.settings import Settings
from edge.snapshot import BoxSnapshot, CameraSnapshot
from edge.temperatures import temperatures_c
from tests.edge.snapshots import BOX, GARDEN, STREET

STREET_LABELS = (("camera", "street"),)
IN_METRICS_OF_THEIR_OWN = {"inference_ms", "outbox_ms", "camera"}


def scrape(server: MetricsServer) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = httpx.get(f"http://127.0.0.1:{server.port}/metrics").raise_for_status().text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def registry_of(take_snapshot: TakeSnapshot) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(BoxCollector(take_snapshot))
    ProcessCollector(registry=registry)
    return registry


@pytest.fixture(scope="module")
def seen() -> list[BoxSnapshot]:
    """What the box looked like, one snapshot after the other; the last is now."""
    return [BOX]


@pytest.fixture(scope="module")
def server(seen: list[BoxSnapshot]) -> Iterator[MetricsServer]:
    registry = registry_of(lambda: seen[-1])
    latencies = Latencies(registry)
    latencies.observe_inference(0.031)
    latencies.observe_outbox(0.05)
    server = MetricsServer("127.0.0.1", 0, registry, lambda: seen[-1])
    yield server
    server.stop()


@pytest.fixture
def box(seen: list[BoxSnapshot]) -> Iterator[list[BoxSnapshot]]:
    """To append how the box looks now; afterwards it is as it was."""
    yield seen
    del seen[1:]


CHANGED = {
    "state": "refused",
    "reason": "wrong password",
    "main_state": "refused",
    "main_reason": "wrong password",
    "depth": "asleep",
    "wakes": {"motion": 500},
    "sees": {"person": 500},
    "health": ("covered",),
    "at": BOX.at.replace(year=2027),
    "device": "box-8",
    "cameras": (STREET,),
    "temperatures_c": {"CPU-therm": 70.0},
}


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(CameraSnapshot)])
def test_every_field_of_a_camera_shows_in_the_metrics(
    field: str, box: list[BoxSnapshot], server: MetricsServer
) -> None:
    before = scrape(server)
    changed = dataclasses.replace(STREET, **{field: CHANGED.get(field, "market" if field == "camera" else 500)})
    box.append(dataclasses.replace(BOX, cameras=(changed, GARDEN)))
    after = scrape(server)
    differences = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    names = {name for name, _ in differences if name.startswith("teawatch_edge_camera_")}
    assert (len(names) > 15) if field == "camera" else (len(names) == 1)


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(BoxSnapshot)])
def test_every_field_of_a_box_shows_in_the_metrics(field: str, box: list[BoxSnapshot], server: MetricsServer) -> None:
    before = scrape(server)
    if field.endswith("_ms"):
        name = {"inference_ms": "inference", "outbox_ms": "capture_to_outbox"}[field]
        assert before[f"teawatch_edge_{name}_seconds_count", ()] == 1
        return
    box.append(dataclasses.replace(BOX, **{field: CHANGED.get(field, 500)}))
    after = scrape(server)
    names = {
        name for name, labels in before.keys() | after.keys() if before.get((name, labels)) != after.get((name, labels))
    }
    assert any(name.startswith("teawatch_edge_") and "camera_" not in name for name in names)


def test_metrics_carry_the_figures_of_the_snapshot_in_base_units(server: MetricsServer) -> None:
    found = scrape(server)
    expected = {
        ("camera_received_bytes_total", STREET_LABELS): 102_400,
        ("camera_wakes_total", (*STREET_LABELS, ("reason", "packet size"))): 110,
        ("camera_state", (*STREET_LABELS, ("state", "playing"))): 1,
        ("camera_state", (("camera", "garden"), ("state", "unreachable"))): 1,
        ("camera_trouble", (("camera", "garden"), ("reason", GARDEN.reason))): 1,
        ("camera_gate", (*STREET_LABELS, ("depth", "awake"))): 1,
        ("camera_gate", (*STREET_LABELS, ("depth", "asleep"))): 0,
        ("camera_seen_objects", (*STREET_LABELS, ("class", "person"))): 4,
        ("camera_view_hindered", (*STREET_LABELS, ("reason", "blurred"))): 1,
        ("camera_main_state", (*STREET_LABELS, ("state", "playing"))): 1,
        ("sessions_busy_ratio", ()): 0.75,
        ("sessions_busy_seconds_total", ()): 1234.5,
        ("resident_memory_bytes", ()): 321.5 * 1024 * 1024,
        ("temperature_celsius", (("sensor", "CPU-therm"),)): 61.5,
        ("snapshot_timestamp_seconds", ()): BOX.at.timestamp(),
        ("inference_seconds_sum", ()): 0.031,
    }
    assert {key: found[f"teawatch_edge_{key[0]}", key[1]] for key in expected} == expected
    assert found["process_resident_memory_bytes", ()] > 10_000_000


def test_a_metric_is_named_total_exactly_when_it_counts(server: MetricsServer) -> None:
    text = httpx.get(f"http://127.0.0.1:{server.port}/metrics").text
    families = [each for each in text_string_to_metric_families(text) if each.name.startswith("teawatch_")]
    counters = {sample.name for each in families if each.type == "counter" for sample in each.samples}
    others = {sample.name for each in families if each.type != "counter" for sample in each.samples}
    assert all(name.endswith("_total") for name in counters)
    assert not any(name.endswith("_total") for name in others)
    assert {"teawatch_edge_camera_packets_total", "teawatch_edge_camera_reconnects_total"} <= counters
    assert all(each.documentation.endswith(".") for each in families)


def test_counters_never_fall_while_the_box_runs(box: list[BoxSnapshot], server: MetricsServer) -> None:
    before = scrape(server)
    more = dataclasses.replace(STREET, **{name: getattr(STREET, name) + 1 for name in ("packets", "looks", "late")})
    box.append(dataclasses.replace(BOX, cameras=(more, GARDEN)))
    after = scrape(server)
    counts = [key for key in before if key[0].endswith("_total")]
    assert all(after[key] >= before[key] for key in counts)
    assert sum(after[key] - before[key] for key in counts if key[0].startswith("teawatch_")) == 3


def test_latencies_keep_the_last_samples_for_the_snapshot() -> None:
    latencies = Latencies(CollectorRegistry())
    for number in range(700):
        latencies.observe_inference(number / 1000)
    latencies.observe_outbox(0.25)
    assert (latencies.inference_ms[0], latencies.inference_ms[-1], latencies.outbox_ms) == (200.0, 699.0, (250.0,))


def test_the_snapshot_comes_over_the_wire_as_it_is(server: MetricsServer) -> None:
    answer = httpx.get(f"http://127.0.0.1:{server.port}/snapshot.json")
    assert TypeAdapter(BoxSnapshot).validate_json(answer.content) == BOX
    assert httpx.get(f"http://127.0.0.1:{server.port}/").status_code == 404


def test_a_port_that_is_taken_is_said_and_the_box_goes_on_without() -> None:
    said: list[dict[str, object]] = []
    registry = registry_of(lambda: BOX)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with served(
            "127.0.0.1", port, registry, lambda: BOX, lambda event, **fields: said.append({event: fields})
        ) as server:
            assert server is None
    (only,) = said
    assert only["trouble"]["what"] == "metrics"
    assert f"port {port} of 127.0.0.1 cannot be served (address already in use)" in only["trouble"]["reason"]


def test_port_0_serves_nothing_and_says_nothing() -> None:
    registry = registry_of(lambda: BOX)
    with served("127.0.0.1", 0, registry, lambda: BOX, lambda *_, **__: pytest.fail("nothing to say")) as server:
        assert server is None


def test_metrics_are_for_this_machine_alone_unless_somebody_says_otherwise() -> None:
    assert Settings().metrics_host == "127.0.0.1"


def test_a_listener_that_says_nothing_does_not_keep_others_from_reading(server: MetricsServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        assert scrape(server)


SENSORS = {
    "thermal/thermal_zone0/type": "CPU-therm",
    "thermal/thermal_zone0/temp": "61500",
    "thermal/thermal_zone1/type": "PMIC-Die",
    "thermal/thermal_zone1/temp": "100000",
    "thermal/thermal_zone2/type": "GPU-therm",
    "thermal/thermal_zone2/temp": "-256000",
    "thermal/thermal_zone10/type": "CPU-therm",
    "thermal/thermal_zone10/temp": "59000",
    "hwmon/hwmon0/name": "nvme",
    "hwmon/hwmon0/temp1_input": "41850",
    "hwmon/hwmon0/temp1_label": "Composite",
    "hwmon/hwmon0/temp2_input": "nonsense",
    "hwmon/hwmon1/name": "CPU-therm",
    "hwmon/hwmon1/temp1_input": "61500",
    "hwmon/hwmon1/device/temp": "61500",
}


def test_temperatures_are_named_by_the_kernel_once_each_and_only_where_there_is_a_sensor(tmp_path: Path) -> None:
    for name, text in SENSORS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert temperatures_c(tmp_path) == {"CPU-therm": 61.5, "CPU-therm 2": 59.0, "nvme Composite": 41.85}


def test_a_machine_without_sensors_has_no_temperatures(tmp_path: Path) -> None:
    assert temperatures_c(tmp_path) == {}


def test_resident_memory_is_no_more_than_its_peak() -> None:
    assert 20 < resident_mib() <= peak_resident_mib() + 1
