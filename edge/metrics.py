"""A box's figures for Prometheus: `teawatch_edge_…` by camera, from a snapshot taken at every scrape.

Counters count from the start of the process, or from when their camera was added; Prometheus takes either for a reset.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.recent import Recent
from edge.snapshot import BoxSnapshot

PREFIX = "teawatch_edge_"
DEPTHS = ("asleep", "alert", "awake", "always")
BYTES_PER_MIB = 1024 * 1024
LAST_SAMPLES = 500

INFERENCE_BUCKETS_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)
OUTBOX_BUCKETS_S = (0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

TakeSnapshot: TypeAlias = Callable[[], BoxSnapshot]
Samples: TypeAlias = dict[tuple[str, ...], float]
"""Values by the values of a metric's labels."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric: a field of the snapshot, its name after the prefix, and what it says.

    A name that ends in `_total` counts; every other goes up and down. `read` makes the value of the field's; where
    that is a mapping, `label` names what its keys are.
    """

    field: str
    name: str
    help: str
    label: str = ""
    read: Callable[[Any], Any] | None = None

    def samples(self, snapshot: object, labels: tuple[str, ...] = ()) -> Samples:
        """The field's values in this snapshot, `labels` before their own."""
        value = getattr(snapshot, self.field)
        value = self.read(value) if self.read else value
        if isinstance(value, Mapping):
            return {(*labels, str(name)): float(each) for name, each in value.items()}
        return {labels: float(value)}

    def metric(self, labels: tuple[str, ...], samples: Samples) -> Metric:
        """As Prometheus' library wants it."""
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        family = kind(PREFIX + self.name, self.help, labels=(*labels, self.label) if self.label else labels)
        for values, value in samples.items():
            family.add_metric(values, value)
        return family


def _this(name: str) -> dict[str, float]:
    return {name: 1.0} if name else {}


def _these(names: Iterable[str]) -> dict[str, float]:
    return dict.fromkeys(names, 1.0)


def _depth(current: str) -> dict[str, float]:
    return {name: float(name == current) for name in (*DEPTHS, current)}


CAMERA_READINGS = (
    Reading("state", "camera_state", "What a camera is doing: the state it is in is 1.", "state", _this),
    Reading("reason", "camera_trouble", "Why a camera does not play; absent where it plays.", "reason", _this),
    Reading("main_state", "camera_main_state", "The same of its main stream, where it has one.", "state", _this),
    Reading("main_reason", "camera_main_trouble", "Why that does not play; absent where it plays.", "reason", _this),
    Reading("depth", "camera_gate", "How closely it is looked at: the depth it is in is 1.", "depth", _depth),
    Reading("packets", "camera_packets_total", "Compressed frames received."),
    Reading("bytes", "camera_received_bytes_total", "Compressed bytes received."),
    Reading("decoded", "camera_decoded_frames_total", "Frames decoded."),
    Reading("looks", "camera_looks_total", "Frames analysed by the detector."),
    Reading("dropped", "camera_dropped_frames_total", "Frames that were due and gave way to newer ones."),
    Reading("due", "camera_due_looks_total", "Looks and comparisons that fell due."),
    Reading("late", "camera_late_looks_total", "Those done more than a period or half a second after."),
    Reading("damaged", "camera_damaged_packets_total", "Packets that could not be decoded."),
    Reading("reconnects", "camera_reconnects_total", "Connections after the first."),
    Reading("wakes", "camera_wakes_total", "How often the gate woke, by reason.", "reason"),
    Reading("packets_per_s", "camera_packets_per_second", "Frames received a second, of late."),
    Reading("looks_per_s", "camera_looks_per_second", "Frames analysed a second, of late."),
    Reading("open_incidents", "camera_open_incidents", "Incidents that are open."),
    Reading("ring_s", "camera_ring_seconds", "Footage in the packet ring."),
    Reading("ring_bytes", "camera_ring_bytes", "Size of the packet ring."),
    Reading("sees", "camera_seen_objects", "Objects in the last analysed frame, by class.", "class"),
    Reading("health", "camera_view_hindered", "What hinders the view; absent if nothing does.", "reason", _these),
)
"""Of each camera, all with the label `camera`; `camera` itself is that label."""

BOX_READINGS = (
    Reading("at", "snapshot_timestamp_seconds", "When these figures were taken.", read=lambda at: at.timestamp()),
    Reading("device", "box_info", "The box, by name.", "device", _this),
    Reading("cameras", "cameras", "Cameras of the configuration.", read=len),
    Reading("sessions", "sessions", "Sessions of the detector."),
    Reading("busy_share", "sessions_busy_ratio", "Share of the last seconds in which the sessions worked."),
    Reading("busy_s", "sessions_busy_seconds_total", "How long the sessions have worked, all together."),
    Reading("queue", "due_looks", "Looks that are due now."),
    Reading("pending_records", "outbox_pending_records", "Records that wait for the centre's receipt."),
    Reading("pending_uploads", "outbox_pending_uploads", "Files that wait for the centre."),
    Reading("temperatures_c", "temperature_celsius", "How hot the box is, by sensor.", "sensor"),
    Reading("resident_mib", "resident_memory_bytes", "Memory the process takes.", read=lambda mib: mib * BYTES_PER_MIB),
)
"""Of the box. Its `inference_ms` and `outbox_ms` are histograms: see `Latencies`."""


class Latencies:
    """How long inference took, and the way from capture to outbox: as histograms, and the last samples themselves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._inference = Histogram(
            f"{PREFIX}inference_seconds", "One run of the detector.", registry=registry, buckets=INFERENCE_BUCKETS_S
        )
        self._outbox = Histogram(
            f"{PREFIX}capture_to_outbox_seconds",
            "From a frame's arrival to its alert in the outbox.",
            registry=registry,
            buckets=OUTBOX_BUCKETS_S,
        )
        self._inference_ms = Recent(LAST_SAMPLES)
        self._outbox_ms = Recent(LAST_SAMPLES)

    def observe_inference(self, seconds: float) -> None:
        """One frame's inference. Any thread may say so."""
        self._inference.observe(seconds)
        self._inference_ms.add(seconds * 1000)

    def observe_outbox(self, seconds: float) -> None:
        """One alert's way into the outbox. Any thread may say so."""
        self._outbox.observe(seconds)
        self._outbox_ms.add(seconds * 1000)

    @property
    def inference_ms(self) -> tuple[float, ...]:
        """The last samples in milliseconds, newest last, as `BoxSnapshot` holds them."""
        return self._inference_ms.values

    @property
    def outbox_ms(self) -> tuple[float, ...]:
        """The last samples in milliseconds, newest last, as `BoxSnapshot` holds them."""
        return self._outbox_ms.values


class BoxCollector(Collector):
    """Asks for a snapshot at every scrape and gives its figures as metrics."""

    def __init__(self, take_snapshot: TakeSnapshot) -> None:
        self._take_snapshot = take_snapshot

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering takes no snapshot."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every metric of the box, then of its cameras."""
        box = self._take_snapshot()
        for reading in BOX_READINGS:
            yield reading.metric((), reading.samples(box))
        for reading in CAMERA_READINGS:
            samples: Samples = {}
            for camera in box.cameras:
                samples |= reading.samples(camera, (camera.camera,))
            yield reading.metric(("camera",), samples)
