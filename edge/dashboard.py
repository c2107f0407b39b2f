"""A box's snapshot as a person reads it on a terminal: what needs somebody stands on top."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from edge.snapshot import BoxSnapshot, CameraSnapshot

WIDE = 130
"""From so many columns on there is room for every figure."""

HOT_C = 85.0
TOLERABLE_SHARE = 0.01
"""Of what fell due at a camera may be late before it counts as falling behind; a single look may always be."""

STYLES: Mapping[str, str] = {
    "playing": "green",
    "connecting": "yellow",
    "degraded": "yellow",
    "ended": "dim",
    "awake": "bold",
    "always": "bold",
    "asleep": "dim",
}
"""By state and by the gate's depth; any other state is trouble."""

HEADER_LINES = 6
"""Above the first camera."""

MOST_TROUBLES = 8
"""Lines of reasons below the table, where nobody says how many rows there are."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of each camera. `flexible` ones share what room is left."""

    heading: str
    wide_only: bool = False
    flexible: bool = False
    numeric: bool = True


COLUMNS = (
    Column("camera", flexible=True, numeric=False),
    Column("state", numeric=False),
    Column("gate", numeric=False),
    Column("fps"),
    Column("looks/s"),
    Column("open"),
    Column("dropped"),
    Column("late"),
    Column("damaged", wide_only=True),
    Column("reconn.", wide_only=True),
    Column("ring s", wide_only=True),
    Column("ring MiB", wide_only=True),
    Column("wakes", wide_only=True),
    Column("sees", wide_only=True, flexible=True, numeric=False),
)


def draw(
    box: BoxSnapshot, *, width: int, rows: int | None = None, notice: str = "", before: BoxSnapshot | None = None
) -> RenderableType:
    """The whole view for a screen of `width` columns, with at most `rows` cameras and a `notice` of one line.

    Who falls behind is told from what was late since `before`, or since the box was started.
    """
    behind = falling_behind(box, before)
    ranked = sorted(box.cameras, key=lambda camera: rank(camera, behind))
    troubles = _troubles(ranked, behind, MOST_TROUBLES if rows is None else rows // 3)
    left = None if rows is None else max(2, rows - len(troubles))
    shown = ranked if left is None or len(ranked) <= left else ranked[: left - 1]
    parts: list[RenderableType] = [_headline(box, behind), *_figures(box)]
    if notice:
        parts.append(Text(notice, style="bold yellow", no_wrap=True, overflow="ellipsis"))
    parts += [Text(), _table(shown, behind, wide=width >= WIDE)]
    if hidden := ranked[len(shown) :]:
        troubled = sum(is_troubled(camera, behind) for camera in hidden)
        said = f"{troubled} of them in trouble" if troubled else "none of them in trouble"
        parts.append(Text(f"… and {len(hidden)} more, {said}: make the window higher", style="dim"))
    return Group(*parts, *troubles)


def falling_behind(box: BoxSnapshot, before: BoxSnapshot | None = None) -> Mapping[str, str]:
    """The cameras that too much was late of, by name, and how much."""
    earlier = {camera.camera: camera for camera in before.cameras} if before else {}
    behind = {}
    for camera in box.cameras:
        due, late = camera.due, camera.late
        known = earlier.get(camera.camera)
        if known and known.due <= due and known.late <= late:
            due, late = due - known.due, late - known.late
        if camera.state in {"playing", "degraded"} and late > max(1, TOLERABLE_SHARE * due):
            when = "lately" if before else "since the start"
            behind[camera.camera] = f"{late} of {due} looks late {when}: too much for this box"
    return behind


def rank(camera: CameraSnapshot, behind: Container[str]) -> tuple[int, str]:
    """Where a camera stands, worst first: no picture, no view, no main stream, shaky, behind, an incident, others."""
    grades = (
        camera.state not in STYLES,
        bool(camera.health),
        bool(camera.main_reason),
        camera.state in {"connecting", "degraded"},
        camera.camera in behind,
        camera.open_incidents > 0,
        camera.depth in {"awake", "always"},
        camera.state != "ended",
    )
    return (grades.index(True) if True in grades else len(grades), camera.camera)


def is_troubled(camera: CameraSnapshot, behind: Container[str]) -> bool:
    """Whether somebody should look after it; an open incident is not trouble but its work."""
    hindered = bool(camera.health or camera.main_reason)
    return camera.state not in {"playing", "ended"} or hindered or camera.camera in behind


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample that `share` (0..1) of all are not above, by nearest rank; there must be one."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _headline(box: BoxSnapshot, behind: Container[str]) -> Text:
    troubled = sum(is_troubled(camera, behind) for camera in box.cameras)
    line = Text(f"TeaWatch box {_plain(box.device)}", style="bold", no_wrap=True, overflow="ellipsis")
    line.append(f"  {box.at:%Y-%m-%d %H:%M:%S} UTC  ", style="not bold dim")
    line.append(f"{len(box.cameras)} cameras, ", style="not bold")
    line.append(f"{troubled} in trouble" if troubled else "all well", style="bold red" if troubled else "green")
    return line


def _figures(box: BoxSnapshot) -> list[Text]:
    busy = Text("sessions ", no_wrap=True, overflow="ellipsis")
    busy.append(f"{box.sessions}, {box.busy_share:.0%} busy")
    busy.append(f"   queue {box.queue}")
    busy.append(f"   open incidents {sum(camera.open_incidents for camera in box.cameras)}")
    busy.append(f"   inference {_milliseconds(box.inference_ms)}")
    waits = Text(no_wrap=True, overflow="ellipsis")
    waits.append(f"outbox {box.pending_records} records, {box.pending_uploads} files")
    waits.append(f"   capture to outbox {_milliseconds(box.outbox_ms)}")
    rest = Text(no_wrap=True, overflow="ellipsis")
    rest.append(f"memory {box.resident_mib:.0f} MiB")
    rest.append(f"   rings {sum(camera.ring_bytes for camera in box.cameras) / 2**20:.0f} MiB   ")
    rest.append_text(_temperature(box.temperatures_c))
    return [busy, waits, rest]


def _milliseconds(samples: Sequence[float]) -> str:
    if not samples:
        return "–"
    return f"{percentile(samples, 0.5):.0f} ms (p95 {percentile(samples, 0.95):.0f})"


def _temperature(temperatures_c: Mapping[str, float]) -> Text:
    if not temperatures_c:
        return Text("no temperature sensor", style="dim")
    sensor, hottest_c = max(temperatures_c.items(), key=lambda each: each[1])
    return Text(f"{hottest_c:.0f} °C {_plain(sensor)}", style="bold red" if hottest_c >= HOT_C else "")


def _troubles(ranked: Sequence[CameraSnapshot], behind: Mapping[str, str], most: int) -> list[Text]:
    said = [(camera, _trouble(camera, behind)) for camera in ranked]
    lines = [Text.assemble((_plain(camera.camera), "bold"), ": ", (why, "red")) for camera, why in said if why]
    for line in lines[:most]:
        line.no_wrap, line.overflow = True, "ellipsis"
    return lines[:most]


def _table(cameras: Sequence[CameraSnapshot], behind: Container[str], *, wide: bool) -> Table:
    shown = [wide or not column.wide_only for column in COLUMNS]
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True, header_style="bold")
    for column, is_shown in zip(COLUMNS, shown, strict=True):
        if is_shown:
            table.add_column(
                column.heading,
                justify="right" if column.numeric else "left",
                no_wrap=True,
                overflow="ellipsis",
                ratio=1 if column.flexible else None,
            )
    for camera in cameras:
        cells = zip(_cells(camera, is_behind=camera.camera in behind), shown, strict=True)
        table.add_row(*(cell for cell, is_shown in cells if is_shown))
    return table


def _cells(camera: CameraSnapshot, *, is_behind: bool) -> tuple[Text, ...]:
    """In the order of `COLUMNS`."""
    state = _plain(camera.state)
    sees = ", ".join(f"{count} {_plain(name)}" for name, count in sorted(camera.sees.items()))
    return (
        Text(_plain(camera.camera), style="bold"),
        Text(state, style=STYLES.get(state, "bold red")),
        Text(_plain(camera.depth), style=STYLES.get(camera.depth, "")),
        Text(f"{camera.packets_per_s:.1f}"),
        Text(f"{camera.looks_per_s:.1f}"),
        Text(str(camera.open_incidents), style="bold red" if camera.open_incidents else "dim"),
        _count(camera.dropped),
        _count(camera.late, "yellow" if is_behind else ""),
        _count(camera.damaged),
        _count(camera.reconnects),
        Text(f"{camera.ring_s:.0f}"),
        Text(f"{camera.ring_bytes / 2**20:.1f}"),
        _count(sum(camera.wakes.values())),
        Text(sees),
    )


def _count(number: int, style: str = "") -> Text:
    """At most five characters: 99999, 100k, 12M."""
    for limit, divisor, unit in ((100_000, 1, ""), (10_000_000, 1_000, "k"), (10**15, 1_000_000, "M")):
        if number < limit:
            return Text(f"{number // divisor}{unit}", style=style if number else "dim")
    return Text("many", style=style)


def _trouble(camera: CameraSnapshot, behind: Mapping[str, str]) -> str:
    """What hinders it: the view, the connection, the box; without the camera's name, which stands before."""
    name = f"camera {camera.camera}: "
    main = f"main stream: {camera.main_reason.removeprefix(name)}" if camera.main_reason else ""
    reasons = (", ".join(camera.health), camera.reason.removeprefix(name), main, behind.get(camera.camera))
    return _plain("; ".join(each for each in reasons if each))


def _plain(text: str) -> str:
    """Without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
