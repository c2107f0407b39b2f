"""`teawatch edge top`: a running box, live on a terminal."""

import time
from collections import deque
from contextlib import suppress
from itertools import count

import httpx
from pydantic import TypeAdapter, ValidationError
from rich.console import Console, RenderableType
from rich.live import Live

from edge.dashboard import HEADER_LINES, draw
from edge.errors import NotRunning
from edge.settings import METRICS_PORT
from edge.snapshot import BoxSnapshot

INTERVAL_S = 1.0
RECENT_LOOKS = 60
"""So many snapshots back, a minute: what was late before then is over."""

TIMEOUT_S = 3.0

_AS_JSON = TypeAdapter(BoxSnapshot)


def watch_box(url: str, console: Console, *, once: bool = False, as_json: bool = False) -> None:
    """Show the box that answers at `url` every second until Ctrl+C, or once where nobody watches.

    Raises NotRunning if it does not answer at first; later, while a box starts again, it is asked until it does.
    `as_json` writes one snapshot a line instead.
    """
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client, suppress(KeyboardInterrupt):
        box = read_snapshot(client, url)
        if as_json:
            _write(client, url, box, console, once=once)
        elif once or not console.is_terminal:
            console.print(draw(box, width=console.width))
        else:
            _follow(client, url, box, console)


def read_snapshot(client: httpx.Client, url: str) -> BoxSnapshot:
    """What the box at `url` looks like now; raises NotRunning."""
    try:
        answer = client.get(f"{url.rstrip('/')}/snapshot.json").raise_for_status()
        return _AS_JSON.validate_json(answer.content)
    except httpx.HTTPStatusError as error:
        raise NotRunning(f"{url} answers {error.response.status_code}: something else than a box listens") from None
    except ValidationError:
        raise NotRunning(f"{url} is no box, or one of another version: its snapshot cannot be read") from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise NotRunning(f"{url} is no address of a box; write it like http://127.0.0.1:{METRICS_PORT}") from None
    except httpx.HTTPError as error:
        why = str(error).rpartition("] ")[2].lower() or type(error).__name__
        raise NotRunning(
            f"no box answers at {url} ({why}); is it running, and is --url or TEAWATCH_EDGE_METRICS_PORT right?"
        ) from None


def _write(client: httpx.Client, url: str, box: BoxSnapshot, console: Console, *, once: bool) -> None:
    while True:
        console.file.write(_AS_JSON.dump_json(box).decode() + "\n")
        console.file.flush()
        if once:
            return
        box = _next(client, url)


def _next(client: httpx.Client, url: str) -> BoxSnapshot:
    """The next snapshot that there is."""
    while True:
        time.sleep(INTERVAL_S)
        with suppress(NotRunning):
            return read_snapshot(client, url)


def _follow(client: httpx.Client, url: str, box: BoxSnapshot, console: Console) -> None:
    silent_since_s: float | None = None
    recent = deque([box], RECENT_LOOKS)

    def picture() -> RenderableType:
        notice = ""
        if silent_since_s is not None:
            silent_s = time.monotonic() - silent_since_s
            notice = f"the box has not answered for {silent_s:.0f} s: these are its last figures; asking again"
        width, height = console.size
        rows = height - HEADER_LINES - bool(notice)
        return draw(recent[-1], width=width, rows=rows, notice=notice, before=recent[0])

    with Live(get_renderable=picture, console=console, screen=True, auto_refresh=False) as live:
        for _ in count():
            live.refresh()
            time.sleep(INTERVAL_S)
            try:
                recent.append(read_snapshot(client, url))
                silent_since_s = None
            except NotRunning:
                silent_since_s = silent_since_s or time.monotonic()
