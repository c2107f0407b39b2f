"""What can be seen of a running box from outside, as one value: for metrics and for `teawatch edge top`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSnapshot:
    """One camera. Counters count from the start of the process; `state` is as in the event `camera_state`.

    `main_state` is that of the stream that clips are cut from; empty where that is the same one.
    `depth` is the gate's: `asleep`, `alert`, `awake`, or `always` where the gate is switched off. `dropped` frames were
    due and not analysed because something newer was there; of the looks and comparisons that fell `due`, `late` ones
    were done more than a period or half a second after; `damaged` packets could not be decoded. `wakes` counts by
    reason. `sees` is what the last look saw, by class. `health` names what hinders its view (empty: it can see).
    """

    camera: str
    state: str
    reason: str = ""
    main_state: str = ""
    main_reason: str = ""
    depth: str = "asleep"
    packets: int = 0
    bytes: int = 0
    decoded: int = 0
    looks: int = 0
    dropped: int = 0
    due: int = 0
    late: int = 0
    damaged: int = 0
    reconnects: int = 0
    wakes: Mapping[str, int] = field(default_factory=dict)
    packets_per_s: float = 0.0
    looks_per_s: float = 0.0
    open_incidents: int = 0
    ring_s: float = 0.0
    ring_bytes: int = 0
    sees: Mapping[str, int] = field(default_factory=dict)
    health: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSnapshot:
    """The whole box.

    `busy_share` is the share of the last seconds in which sessions worked, 0..1, `busy_s` how long they worked since
    the start, all together; `queue` the number of looks that are due now. `inference_ms` and `outbox_ms` (capture to
    outbox) are the last samples, newest last.
    """

    at: datetime
    device: str
    cameras: tuple[CameraSnapshot, ...]
    sessions: int = 1
    busy_share: float = 0.0
    busy_s: float = 0.0
    queue: int = 0
    pending_records: int = 0
    pending_uploads: int = 0
    inference_ms: tuple[float, ...] = ()
    outbox_ms: tuple[float, ...] = ()
    temperatures_c: Mapping[str, float] = field(default_factory=dict)
    resident_mib: float = 0.0
