"""What the demo hears from its box (`teawatch edge run --events`) and what each event changes on the screen."""

from collections.abc import Callable, Mapping
from typing import Any

from center.demo.terminal import CameraRow, Scene

Said = Mapping[str, Any]


def _seen(scene: Scene, said: Said) -> str:
    row = scene.cameras.setdefault(said["camera"], CameraRow())
    row.seen, row.rate_per_s = said["counts"], said["rate_per_s"]
    row.frames, row.open_incidents = said["frames"], said["open_incidents"]
    return ""


def _camera_state(scene: Scene, said: Said) -> str:
    row = scene.cameras.setdefault(said["camera"], CameraRow())
    row.state, row.reason = said["state"], said["reason"]
    return f"{said['camera']}: {said['state']}" + (f" ({said['reason']})" if said["reason"] else "")


def _incident_opened(scene: Scene, said: Said) -> str:
    scene.incidents += 1
    return f"incident opened: {said['kind']}, {said['objects']} {said['class_name']} at {said['camera']}/{said['zone']}"


def _incident_closed(_scene: Scene, said: Said) -> str:
    return f"incident closed: {said['kind']} at {said['camera']}/{said['zone']}"


def _alert_queued(scene: Scene, _said: Said) -> str:
    scene.alerts += 1
    return ""


def _alert_sent(scene: Scene, said: Said) -> str:
    if said["times"] == 1:
        scene.sent += 1
    return ""


def _receipt(scene: Scene, said: Said) -> str:
    scene.receipted += said["stored"] + said["quarantined"]
    return ""


def _evidence_uploaded(scene: Scene, _said: Said) -> str:
    scene.pictures += 1
    return ""


def _disconnected(_scene: Scene, said: Said) -> str:
    return f"no connection to the broker: {said['reason']}; records wait in the outbox"


def _trouble(_scene: Scene, said: Said) -> str:
    return f"{said['what']}: {said['reason']}"


HEARD: Mapping[str, Callable[[Scene, Said], str]] = {
    "seen": _seen,
    "camera_state": _camera_state,
    "incident_opened": _incident_opened,
    "incident_closed": _incident_closed,
    "alert_queued": _alert_queued,
    "alert_sent": _alert_sent,
    "receipt": _receipt,
    "evidence_uploaded": _evidence_uploaded,
    "connected": lambda _scene, _said: "the box is connected to the broker",
    "disconnected": _disconnected,
    "trouble": _trouble,
}
"""Event name to what it does to the scene; each returns a line worth showing, or nothing."""


def hear(scene: Scene, said: Said) -> str:
    """Let one event change the scene; the line to show, empty for events that need none."""
    handler = HEARD.get(said["event"])
    return handler(scene, said) if handler else ""
