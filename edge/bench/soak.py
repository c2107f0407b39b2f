"""Whether a box's memory grows: `teawatch bench edge --only soak` takes an hour.

A real box watches eight RTSP cameras, half of them busy and half quiet, each of which is killed, stalled or cut off at
random moments. After a warm-up a straight line is laid through its resident memory.
"""

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

from edge.bench.cameras import CameraServer
from edge.bench.clips import NothingToMeasure, busy_clip
from edge.bench.footage import Actors, Scene, cached_film
from edge.bench.reconnect import LONGEST_OUTAGE_S, SHORTEST_OUTAGE_S
from edge.bench.trend import trend_of

CAMERAS = 8
LOOKS_PER_S = 0.5
WARM_UP_SHARE = 1 / 6
SOONEST_DROP_S, LATEST_DROP_S = 20.0, 60.0
LONGEST_SAMPLE_S, LONGEST_BLOCK_S = 5.0, 60.0
BLOCKS = 20
"""At least so many blocks are made of a short run."""

Sample: TypeAlias = Mapping[str, Any]


def soak(
    films: Sequence[Path],
    minutes: float,
    *,
    card: str = "yolov3_tiny",
    looks_per_s: float = LOOKS_PER_S,
    soonest_drop_s: float = SOONEST_DROP_S,
    latest_drop_s: float = LATEST_DROP_S,
    seed: int = 1,
    on_sample: Callable[[Sample], object] = lambda _: None,
) -> Mapping[str, object]:
    """Watch one camera for each film (H.264) for so long, and give what the line through its memory says.

    `on_sample` hears every sample as it is taken. Raises CamerasUnavailable where this machine cannot serve cameras,
    and NothingToMeasure if the box does not live to the end.
    """
    seconds = minutes * 60
    is_over = threading.Event()
    with ExitStack() as cleanup:
        servers = [cleanup.enter_context(CameraServer("--film", str(film))) for film in films]
        pool = cleanup.enter_context(ThreadPoolExecutor(len(servers), "drops"))
        cleanup.callback(is_over.set)
        chances = [random.Random(seed * 1000 + number) for number in range(len(servers))]  # noqa: S311 - no secret
        pauses_s = soonest_drop_s, latest_drop_s
        drills = [pool.submit(_drop, *each, pauses_s, is_over) for each in zip(servers, chances, strict=True)]
        urls = [server.url() for server in servers]
        sample_s = min(LONGEST_SAMPLE_S, seconds / 100)
        samples = _watch([card, str(seconds), str(sample_s), str(looks_per_s), *urls], on_sample)
        is_over.set()
        drops = sum(drill.result() for drill in drills)
    return {"soak_minutes": round(minutes, 2), "soak_drops": drops, **judge(samples, seconds)}


def soak_films(clip: Path) -> list[Path]:
    """Four busy streets and four quiet ones with a visitor now and then; key frames every two seconds."""
    scene = Scene(clip=clip, actors=(Actors(clip, "person"),))
    quiet, _ = cached_film(scene=scene, events=8, seconds=240, seed=8, rate=10, gop=20, size_px=(640, 360))
    return [busy_clip(clip, 200), quiet] * (CAMERAS // 2)


def judge(samples: Sequence[Sample], seconds: float) -> Mapping[str, object]:
    """The line through what came after the warm-up, and counts before and after the middle of that."""
    settled = [each for each in samples if each["at_s"] >= seconds * WARM_UP_SHARE]
    block_s = min(LONGEST_BLOCK_S, seconds * (1 - WARM_UP_SHARE) / BLOCKS)
    try:
        trend = trend_of(
            [each["at_s"] for each in settled], [each["resident_mib"] for each in settled], block_s=block_s
        )
    except (ValueError, IndexError) as error:
        raise NothingToMeasure(f"soak: {error}; let it last longer") from None
    last = settled[-1]
    return {
        "soak_mib_per_hour": round(trend.slope, 2),
        "soak_mib_per_hour_95": [round(trend.low, 2), round(trend.high, 2)],
        "soak_grows": trend.grows,
        "soak_blocks": trend.blocks,
        "soak_likeness": round(trend.likeness, 2),
        "soak_resident_mib": _early_and_late(settled, "resident_mib"),
        "soak_threads": _early_and_late(settled, "threads"),
        "soak_files": _early_and_late(settled, "files"),
        "soak_reconnects": last["reconnects"],
        "soak_failed_cameras": last["failed"],
        "soak_looks": last["looks"],
        "soak_told": last["told"],
        "soak_troubles": last["troubles"],
        "soak_core_share": round(last["cpu_s"] / last["at_s"], 2),
    }


def _early_and_late(settled: Sequence[Sample], key: str) -> list[float]:
    """The most of both halves."""
    middle = len(settled) // 2
    return [round(max(each[key] for each in half), 1) for half in (settled[:middle], settled[middle:])]


def _drop(server: CameraServer, chance: random.Random, pauses_s: tuple[float, float], is_over: threading.Event) -> int:
    """Take the camera away again and again, in one of three ways; how often."""
    drops = 0
    while not is_over.wait(chance.uniform(*pauses_s)):
        drops += 1
        outage_s = SHORTEST_OUTAGE_S * (LONGEST_OUTAGE_S / SHORTEST_OUTAGE_S) ** chance.random()
        match chance.choice(("power cut", "silence", "hanging up")):
            case "power cut":
                server.kill()
                is_over.wait(outage_s)
                server.start()
            case "silence":
                server.tell("stall")
                is_over.wait(outage_s)
                server.tell("go")
            case "hanging up":
                server.tell("drop clients")
    return drops


def _watch(arguments: Sequence[str], on_sample: Callable[[Sample], object]) -> list[Sample]:
    """Every sample of a box in a process of its own."""
    command = [sys.executable, "-m", "edge.bench.soak_box", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as box:  # noqa: S603 - our own module
        samples = []
        try:
            for line in box.stdout or ():
                samples.append(json.loads(line))
                on_sample(samples[-1])
        except BaseException:
            box.terminate()
            raise
    if box.returncode or not samples:
        raise NothingToMeasure(f"the box of the soak ended with exit code {box.returncode}")
    return samples
