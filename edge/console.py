"""What a technician sees on a terminal: each camera, what it sees, what was found, what reached the centre."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

LOG_LINES = 12

SENTENCES: Mapping[str, str] = {
    "incident_opened": "[bold red]opened[/] {kind} by {rule} at {camera}/{zone}: {objects} {class_name}",
    "incident_updated": "[yellow]updated[/] {kind} by {rule} at {camera}/{zone}: {objects} {class_name}",
    "incident_closed": "[green]closed[/] {kind} by {rule} at {camera}/{zone} ({reason})",
    "connected": "[green]connected[/] to {broker}",
    "disconnected": "[yellow]no connection[/]: {reason}; records wait in the outbox",
    "set_aside": "[bold yellow]the centre put {count} of this box's records aside[/]: look at its quarantine page",
    "reloaded": "[green]a changed configuration is in force[/]",
    "trouble": "[bold red]{what}[/]: {reason}",
    "trouble_over": "[green]{what}: all well again[/]",
    "stopped": "stopped; {pending_records} records and {pending_uploads} files wait for the centre",
}
"""Events that are worth a line, and the line."""


@dataclass
class _CameraRow:
    state: str = "starting"
    reason: str = ""
    troubles: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    rate_per_s: float = 0.0
    frames: int = 0
    open_incidents: int = 0

    @property
    def condition(self) -> str:
        """The state, and what is wrong with stream or view."""
        wrong = "; ".join(each for each in (self.reason, ", ".join(self.troubles)) if each)
        return f"{self.state}: {wrong}" if wrong else self.state


class LiveConsole:
    """A sink of events that draws itself; a context manager while it is on the screen."""

    def __init__(self, device: str, console: Console | None = None) -> None:
        self._title = f"TeaWatch box {device}"
        self._rows: dict[str, _CameraRow] = {}
        self._lines: deque[tuple[datetime, str]] = deque(maxlen=LOG_LINES)
        self._sent = 0
        self._receipts = 0
        self._quarantined = 0
        self._files = 0
        self._live = Live(get_renderable=self.draw, console=console or Console(), refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take one event."""
        if event == "seen":
            row = self._row(fields["camera"])
            for name in ("counts", "rate_per_s", "frames", "open_incidents"):
                setattr(row, name, fields[name])
        elif event == "camera_state":
            row = self._row(fields["camera"])
            row.state, row.reason = fields["state"], fields["reason"]
        elif event == "camera_health":
            self._row(fields["camera"]).troubles = fields["troubles"]
        elif event == "reloaded":
            self._rows = {name: row for name, row in self._rows.items() if name in fields["cameras"]}
        elif event == "alert_sent":
            self._sent += fields["times"] == 1
        elif event == "receipt":
            self._receipts += int(fields["stored"])
            self._quarantined += int(fields["quarantined"])
        elif event == "evidence_uploaded":
            self._files += 1
        if event in SENTENCES:
            words = {name: escape(str(value)) for name, value in fields.items()}
            self._lines.append((datetime.now().astimezone(), SENTENCES[event].format_map(words)))

    def draw(self) -> RenderableType:
        """Everything, as it stands."""
        table = Table(expand=True, box=None)
        for heading in ("camera", "state", "sees", "looks/s", "looks", "open incidents"):
            table.add_column(heading)
        for name, row in sorted(self._rows.items()):
            seen = ", ".join(f"{count} {what}" for what, count in sorted(row.counts.items()))
            table.add_row(
                name, Text(row.condition), seen, f"{row.rate_per_s:.1f}", str(row.frames), str(row.open_incidents)
            )
        delivered = (
            f"records sent {self._sent}, confirmed by the centre {self._receipts}"
            + (f", quarantined {self._quarantined}" if self._quarantined else "")
            + f"; files delivered {self._files}"
        )
        lines = [Text.from_markup(f"[dim]{at:%H:%M:%S}[/] {line}") for at, line in tuple(self._lines)]
        return Group(
            Panel(table, title=self._title, border_style="green"),
            Text(delivered),
            Panel(Group(*lines), title="what happened", border_style="dim"),
        )

    def _row(self, camera: str) -> _CameraRow:
        return self._rows.setdefault(camera, _CameraRow())
