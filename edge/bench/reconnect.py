"""How long a box stays blind after a camera came back: real RTSP servers are killed and started again."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from edge.bench.cameras import CameraServer
from streams.decoder import Decoder
from streams.frames import Camera
from streams.images import Image
from streams.packets import Packet
from streams.player import Player

SHORTEST_OUTAGE_S, LONGEST_OUTAGE_S = 0.2, 8.0
GIVEN_UP_S = 60.0

Analyse = Callable[[Image], object]


def look(image: Image) -> object:
    """What a gate does with every picture."""
    return image.luma(160, 90)


def measure_reconnects(
    film: Path,
    *,
    streams: int = 8,
    drops: int = 200,
    longest_outage_s: float = LONGEST_OUTAGE_S,
    analyse: Analyse = look,
    seed: int = 1,
) -> list[float]:
    """Seconds from "the server listens again" to "the first picture was analysed", one for each drop.

    Every stream has a server of its own that plays `film` (H.264) and is killed at random moments for 0.2 s up to
    `longest_outage_s`; all streams at the same time. A camera that does not come back within a minute counts as
    infinite. Raises CamerasUnavailable where this machine cannot serve cameras.
    """
    shares = [drops // streams + (number < drops % streams) for number in range(streams)]
    with ThreadPoolExecutor(streams, "drill") as pool:
        drills = [
            pool.submit(_drill, film, share, longest_outage_s, analyse, random.Random(seed * 1000 + number))  # noqa: S311 - no secret
            for number, share in enumerate(shares)
        ]
        return [seconds for drill in drills for seconds in drill.result()]


def _drill(film: Path, drops: int, longest_outage_s: float, analyse: Analyse, chance: random.Random) -> list[float]:
    with (
        CameraServer("--film", str(film)) as server,
        _Watcher(Camera(id="drill", url=server.url()), analyse) as watcher,
    ):
        watcher.wait_for(time.monotonic())
        took_s = []
        for _ in range(drops):
            time.sleep(chance.uniform(0, 1))
            server.kill()
            time.sleep(SHORTEST_OUTAGE_S * (longest_outage_s / SHORTEST_OUTAGE_S) ** chance.random())
            server.start()
            took_s.append(watcher.wait_for(time.monotonic()))
        return took_s


class _Watcher:
    """Plays and decodes one camera in threads of its own, as a box does."""

    def __init__(self, camera: Camera, analyse: Analyse) -> None:
        self._analyse = analyse
        self._packets = SimpleQueue[Packet | None]()
        self._player = Player(camera, on_packet=self._packets.put, on_state=lambda _state, _reason: None)
        self._worker = threading.Thread(target=self._work, name="watcher", daemon=True)
        self._changed = threading.Condition()
        self._seen_s = (0.0, 0.0)
        """When the last picture's packet arrived, and when its analysis was done."""

    def wait_for(self, listening_s: float) -> float:
        """Seconds from a moment to the end of the analysis of a picture that arrived after it."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._seen_s[0] > listening_s, GIVEN_UP_S):
                return float("inf")
            return self._seen_s[1] - listening_s

    def _work(self) -> None:
        decoder = Decoder()
        while (packet := self._packets.get()) is not None:
            for image in decoder.decode(packet):
                self._analyse(image)
                with self._changed:
                    self._seen_s = image.packet.monotonic_s, time.monotonic()
                    self._changed.notify_all()

    def __enter__(self) -> Self:
        self._worker.start()
        self._player.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._player.stop()
        self._player.join(GIVEN_UP_S)
        self._packets.put(None)
        self._worker.join(GIVEN_UP_S)
