"""What a technician sees on a terminal: each camera, what it sees, what was found, what reached the centre."""

import threading
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
LEAST_LOG_LINES = 5
"""Kept free for what happened, however many cameras there are."""

FRAME_LINES = 7
"""Of the screen: two frames, the headings, what was delivered, and the line of the prompt."""

FRAME_COLUMNS = 4

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

    def wrong(self, camera: str) -> str:
        """What is wrong with stream or view, in short; the camera's name stands before it anyway."""
        reason = self.reason.removeprefix(f"camera {camera}: ")
        return "; ".join(each for each in (", ".join(self.troubles), reason) if each)

    @property
    def sees(self) -> str:
        """What the last look saw."""
        return ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))


@dataclass
class _Line:
    """Something that happened, the last time at `at`."""

    at: datetime
    sentence: str
    times: int = 1

    @property
    def text(self) -> Text:
        """As it is shown."""
        said = f"[dim]{self.at:%H:%M:%S}[/] {self.sentence}"
        return Text.from_markup(f"{said} [dim]({self.times} times)[/]" if self.times > 1 else said)


class LiveConsole:
    """A sink of events that draws itself; a context manager while it is on the screen. Any thread may tell events."""

    def __init__(self, device: str, console: Console | None = None) -> None:
        self._console = console or Console()
        self._title = f"TeaWatch box {device}"
        self._rows: dict[str, _CameraRow] = {}
        self._lines: deque[_Line] = deque(maxlen=LOG_LINES)
        self._sent = 0
        self._receipts = 0
        self._quarantined = 0
        self._files = 0
        self._lock = threading.Lock()
        self._live = Live(get_renderable=self.draw, console=self._console, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take one event."""
        with self._lock:
            self._take(event, fields)

    def _take(self, event: str, fields: Mapping[str, Any]) -> None:
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
            self._note(SENTENCES[event].format_map(words))

    def draw(self) -> RenderableType:
        """Everything, as it stands, as far as the screen holds it: what is wrong first, and the newest of the rest."""
        with self._lock:
            return self._drawn()

    def _drawn(self) -> RenderableType:
        room = max(2, self._console.height - FRAME_LINES - LEAST_LOG_LINES)
        rows = sorted(self._rows.items(), key=lambda each: (not each[1].wrong(each[0]), each[0]))
        shown = rows if len(rows) <= room else rows[: room - 1]
        delivered = (
            f"records sent {self._sent}, confirmed by the centre {self._receipts}"
            + (f", quarantined {self._quarantined}" if self._quarantined else "")
            + f"; files delivered {self._files}"
        )
        happened = self._newest_lines(self._console.height - FRAME_LINES - min(len(rows), room))
        return Group(
            Panel(_table(shown, hidden=len(rows) - len(shown)), title=self._title, border_style="green"),
            Text(delivered),
            Panel(Group(*happened), title="what happened", border_style="dim"),
        )

    def _newest_lines(self, most: int) -> list[Text]:
        """What fits into so many lines of the screen."""
        chosen: list[Text] = []
        for line in reversed(self._lines):
            text = line.text
            most -= len(text.wrap(self._console, max(1, self._console.width - FRAME_COLUMNS)))
            if most < 0:
                break
            chosen.insert(0, text)
        return chosen

    def _note(self, sentence: str) -> None:
        now, last = datetime.now().astimezone(), self._lines[-1] if self._lines else None
        if last and last.sentence == sentence:
            self._lines[-1] = _Line(now, sentence, last.times + 1)
        else:
            self._lines.append(_Line(now, sentence))

    def _row(self, camera: str) -> _CameraRow:
        return self._rows.setdefault(camera, _CameraRow())


def _table(rows: Sequence[tuple[str, _CameraRow]], *, hidden: int) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1, 0, 0))
    for heading in ("camera", "state", "sees", "looks/s", "looks", "open"):
        is_wide = heading == "sees"
        table.add_column(
            heading,
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if is_wide else None,
            justify="right" if heading in {"looks/s", "looks", "open"} else "left",
        )
    for name, row in rows:
        wrong = row.wrong(name)
        sees = Text(wrong, style="red") if wrong else Text(row.sees)
        figures = (f"{row.rate_per_s:.1f}", str(row.frames), str(row.open_incidents))
        table.add_row(Text(name), Text(row.state), sees, *figures)
    if hidden:
        table.add_row(Text(f"… {hidden} more", style="dim"))
    return table
