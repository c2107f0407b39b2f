"""What the demo's terminal shows: addresses, accounts, what each camera sees, what was sent and what came of it."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from center.demo.stage import Account

LOG_LINES = 10


@dataclass
class CameraRow:
    """The latest of one camera: objects by class, detections per second, open incidents."""

    seen: Mapping[str, int] = field(default_factory=dict)
    rate_per_s: float = 0.0
    frames: int = 0
    open_incidents: int = 0
    state: str = "starting"
    reason: str = ""


@dataclass
class Scene:
    """Everything on the screen."""

    board_url: str
    trace_url: str
    qr_path: str
    accounts: tuple[Account, ...]
    cameras: dict[str, CameraRow] = field(default_factory=dict)
    incidents: int = 0
    alerts: int = 0
    sent: int = 0
    receipted: int = 0
    pictures: int = 0
    tasks: int = 0
    first_task_s: float | None = None
    lines: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    @property
    def frames(self) -> int:
        """Pictures analysed, of all cameras."""
        return sum(row.frames for row in self.cameras.values())

    def say(self, at: datetime, text: str) -> None:
        """Add a line to the log at the bottom."""
        self.lines.append((at, text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        above = Group(self.doors(), self._cameras())
        yield above
        room = options.max_height - len(console.render_lines(above, options))
        shown = len(self.lines)
        while shown > 1 and len(console.render_lines(self._log(shown), options)) > room:
            shown -= 1
        yield self._log(shown)

    def doors(self) -> Panel:
        """Addresses and accounts."""
        grid = Table.grid(padding=(0, 2))
        grid.add_row("Centre", Text(self.board_url, style="bold cyan"))
        for account in self.accounts:
            grid.add_row(f"  {account.role}", Text(f"{account.name}  {account.password}", style="bold"))
        grid.add_row("Shopper", Text(self.trace_url, style="bold cyan"))
        grid.add_row("  QR picture", self.qr_path)
        return Panel(grid, title="TeaWatch demo county", subtitle="Ctrl+C ends it", border_style="green")

    def _cameras(self) -> Panel:
        table = Table(box=None, expand=True, pad_edge=False)
        for heading in ("camera", "sees", "looks/s", "open incidents", "state"):
            table.add_column(heading)
        for name, row in sorted(self.cameras.items()):
            seen = ", ".join(f"{count} {what}" for what, count in sorted(row.seen.items())) or "nothing of interest"
            table.add_row(name, seen, f"{row.rate_per_s:.1f}", str(row.open_incidents), row.state)
        first = "none yet" if self.first_task_s is None else f"first after {self.first_task_s:.1f} s"
        totals = (
            f"{self.frames} pictures analysed · {self.incidents} incidents · {self.alerts} alerts · "
            f"{self.sent} records sent, {self.receipted} receipted by the centre · "
            f"{self.pictures} pictures delivered · {self.tasks} tasks ({first})"
        )
        return Panel(Group(table, Text(totals, style="bold")), title="The box beside the cameras", border_style="blue")

    def _log(self, shown: int) -> Panel:
        """The newest lines; the older ones go first where the terminal is too low for all."""
        body = Text("\n").join(
            Text.assemble((f"{at.astimezone():%H:%M:%S} ", "dim"), line) for at, line in list(self.lines)[-shown:]
        )
        return Panel(body or Text("waiting for the first picture …", style="dim"), title="What happens")
