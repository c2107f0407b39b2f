"""A box as it may look from outside, every figure different from every other."""

from datetime import UTC, datetime

from edge.snapshot import BoxSnapshot, CameraSnapshot

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)

STREET = CameraSnapshot(
    camera="street",
    state="playing",
    main_state="playing",
    depth="awake",
    packets=101,
    bytes=102_400,
    decoded=103,
    looks=104,
    dropped=105,
    due=2106,
    late=106,
    damaged=107,
    reconnects=108,
    wakes={"motion": 109, "packet size": 110},
    packets_per_s=25.5,
    looks_per_s=3.25,
    open_incidents=2,
    ring_s=29.5,
    ring_bytes=7_340_032,
    sees={"person": 4, "car": 1},
    health=("dark", "blurred"),
)
GARDEN = CameraSnapshot(
    camera="garden", state="unreachable", reason="camera garden: rtsp://10.0.0.8/main does not answer"
)
BOX = BoxSnapshot(
    at=AT,
    device="box-7",
    cameras=(STREET, GARDEN),
    sessions=2,
    busy_share=0.75,
    busy_s=1234.5,
    queue=5,
    pending_records=11,
    pending_uploads=12,
    inference_ms=(31.0, 33.0),
    outbox_ms=(50.0,),
    temperatures_c={"CPU-therm": 61.5},
    resident_mib=321.5,
)
