"""The `teawatch demo` command: sets the stage, starts the processes, and shows or proves that the thing works."""

import json
import re
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from center.broker import port_is_free
from center.demo.footage import FootageUnavailable, cache_folder, fetch_vtest
from center.demo.performance import Failure, Performance
from center.demo.stage import draw_qr, set_up_center, write_box_config
from center.demo.terminal import Scene
from center.errors import CenterError

app = typer.Typer(add_completion=False)
LIVE = ("rtsp://", "rtsps://")
CAMERA_VARIABLE = "TEAWATCH_DEMO_CAMERA"
_LOGIN = re.compile(r"(?i)@|\?|(user|pass|pwd|auth|token|key)\w*=")
"""What an address with a login has in it, wherever recorders want it."""

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
say = Console(stderr=True, highlight=False)


@app.command()
def demo(  # noqa: PLR0917 - typer reads the options from here
    video: Annotated[Path | None, typer.Option(help="Watch this file instead of the demo clip.")] = None,
    camera: Annotated[
        str,
        typer.Option(
            envvar=CAMERA_VARIABLE,
            help="Watch this camera (rtsp://…) instead; one with a login only from the environment.",
        ),
    ] = "",
    port: Annotated[int, typer.Option(help="Port of the pages.")] = 8000,
    mqtt_port: Annotated[int, typer.Option(help="Port of the embedded broker.")] = 18830,
    until_task: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--until-task", help="No terminal: stop once a task was opened and acknowledged.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--json", help="With --until-task: one JSON object as the last line.")
    ] = False,
    timeout_s: Annotated[int, typer.Option(help="With --until-task: give up after so many seconds.")] = 120,
) -> None:
    """The whole product on this machine: a centre and a box as separate processes, watching real footage."""
    started_s = time.monotonic()
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    try:
        _require_free(port, mqtt_port)
        with ExitStack() as cleanup:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="teawatch-demo-")))
            footage = Footage(video, camera)
            stage = set_up_center(folder / "center", web_port=port, mqtt_port=mqtt_port, now=datetime.now(UTC))
            qr = draw_qr(stage.trace_url, folder / "packet-qr.png")
            scene = Scene(stage.board_url, stage.trace_url, str(qr), stage.accounts)
            performance = cleanup.enter_context(Performance(stage, scene, folder, started_s=started_s))
            performance.start_center()
            performance.start_box(write_box_config(folder / "box", footage=footage.wait()))
            if until_task:
                result = performance.run_until_task(timeout_s=timeout_s)
            else:
                performance.run_until_interrupted()
                result = None
    except KeyboardInterrupt:
        say.print("\nThe demo has ended; nothing of it is left behind.")
        raise typer.Exit(1 if until_task else 0) from None
    except (Failure, FootageUnavailable, CenterError) as failure:
        say.print(f"teawatch demo: {failure}", style="red", soft_wrap=True)
        raise typer.Exit(1) from None
    if result is not None:
        typer.echo(json.dumps(result) if as_json else "\n".join(f"{key}: {value}" for key, value in result.items()))


class Footage:
    """What the box will watch; the demo clip is fetched in the background while the centre is set up."""

    def __init__(self, video: Path | None, camera: str) -> None:
        """Raises Failure when the file is not there, the address is no camera's or shows a login, or both are given."""
        if video is not None and camera:
            raise Failure("--video and --camera are two answers to one question; give one")
        if camera and not camera.startswith(LIVE):
            raise Failure(f"--camera is no camera's address: it begins with {' or '.join(LIVE)}")
        if camera and _LOGIN.search(camera) and any(camera in each for each in sys.orig_argv):
            raise Failure(
                "--camera is given a login where every process of this machine can read it (and make keeps it there); "
                f"put the address into the environment instead: {CAMERA_VARIABLE}"
            )
        if video is not None and not video.is_file():
            raise Failure(f"{video}: no such file")
        self._given = camera or (str(video.resolve()) if video else "")
        self._fetched: Path | None = None
        self._error: FootageUnavailable | None = None
        self._thread = threading.Thread(target=self._fetch, name="footage", daemon=True)
        if not self._given:
            self._thread.start()

    def _fetch(self) -> None:
        try:
            self._fetched = fetch_vtest(cache_folder())
        except FootageUnavailable as error:
            self._error = error

    def wait(self) -> str:
        """The path or address. Raises FootageUnavailable."""
        if self._given:
            return self._given
        if self._thread.is_alive():
            self._thread.join(1.0)
        if self._thread.is_alive():
            say.print("Fetching the demo clip from your Debian archive (96 MB, once) …")
            self._thread.join()
        if self._fetched is None:
            raise self._error or FootageUnavailable("the demo clip could not be fetched")
        return str(self._fetched)


def _interrupt(_signal: int, _frame: object) -> None:
    """End the demo, and let nothing interrupt the clearing up."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def _require_free(port: int, mqtt_port: int) -> None:
    for name, number, option in (("pages", port, "--port"), ("broker", mqtt_port, "--mqtt-port")):
        if not port_is_free("127.0.0.1", number):
            raise Failure(f"port {number} ({name}) is in use; choose another with {option}")
