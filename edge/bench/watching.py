"""The figures of watching: cameras a core, events missed, the gate's worth, alerts in time, blindness after drops."""

from collections.abc import Iterator, Mapping
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from edge.bench.cameras import CamerasUnavailable
from edge.bench.children import run_pinned
from edge.bench.clips import PLACES, NothingToMeasure, busy_clip, fingerprint
from edge.bench.footage import CAMERA, CAMERA_B, Actors, Scene, cached_film
from edge.bench.reconnect import measure_reconnects
from edge.bench.setting import Figures, Setting
from edge.bench.soak import soak, soak_films

LATE_SHARE = 0.01
EVENTS_A_FILM = 8
FILM_S = 60.0
QUIET_FILM_S = 40.0
RATED_CAMERAS, RATED_LOOKS_PER_S = 4, 3.0
DROP_FRAMES = 300
LADDER = ("20:15:20", "40:40:20", "60:30:60", "80:40:60", "100:40:30", "120:45:30")
QUICK_LADDER = ("8:0.5:0.5", "40:3:1", "80:10:2")
"""Cameras, seconds in which they learn what is usual, seconds in which is counted."""

CALM_CORNER = (0.0, 0.5, 0.5, 1.0)
"""The lower left quarter: on streets the ground near the camera, without what is parked at its edge."""

SOAK_MINUTES, QUICK_SOAK_MINUTES = 60.0, 2.0


def cameras_per_core(setting: Setting) -> Figures:
    """Quiet cameras on one core until one in a hundred of the due looks and comparisons is late."""
    ladder = QUICK_LADDER if setting.is_quick else LADDER
    scenes = islice(_scenes(setting), 1 if setting.is_quick else 3)
    films = [cached_film(scene=scene, events=0, seconds=QUIET_FILM_S, seed=5)[0] for scene in scenes]
    answer = run_pinned("edge.bench.quiet_box", _card(setting), ",".join(map(str, films)), *ladder, core=setting.core)
    rungs = answer["rungs"]
    good = [rung for rung in rungs if rung["due"] and rung["late"] <= LATE_SHARE * rung["due"]]
    best = max(good, key=lambda rung: rung["cameras"], default=None)
    first, last = rungs[0], rungs[-1]
    grown_mb = (last["resident_mb"] - first["resident_mb"]) / (last["cameras"] - first["cameras"])
    return {
        "quiet_cameras_per_core": best["cameras"] if best else 0,
        "quiet_cpu_per_camera": round(best["cpu_share"] / best["cameras"], 4) if best else None,
        "mb_per_camera": round(grown_mb, 1),
        "quiet_rungs": rungs,
    }


def missed_events(setting: Setting) -> Figures:
    """Short events injected into quiet films, and how many of them the detector was never shown."""
    films = 1 if setting.is_quick else 25
    made = [
        cached_film(
            scene=scene,
            events=EVENTS_A_FILM,
            seconds=FILM_S,
            seed=seed,
            options=CAMERA_B if seed % 5 == 0 else CAMERA,
        )[0]
        for seed, scene in enumerate(islice(_scenes(setting), films), 1)
    ]
    answer = run_pinned("edge.bench.events_box", _card(setting), *map(str, made), core=setting.core)
    return {
        "missed_short_events": answer["missed"],
        "short_events": answer["events"],
        "events_decoded_share": round(answer["decoded"] / answer["packets"], 3),
        "events_cpu_share": round(answer["cpu_s"] / answer["seconds"], 3),
    }


def gate_worth(setting: Setting) -> Figures:
    """CPU of the gated box for each film, beside the same box without a gate."""
    films = [busy_clip(setting.clip, DROP_FRAMES)] if setting.is_quick else [setting.clip, *_footage(setting)]
    answer = run_pinned("edge.bench.gated_box", _card(setting), *map(str, films), core=setting.core)
    seconds = sum(film["seconds"] for film in answer["films"])
    gated_cpu_s = float(sum(film["gated_cpu_s"] for film in answer["films"]))
    return {
        "gated_frames": int(sum(film["frames"] for film in answer["films"])),
        "gated_cpu_s": round(gated_cpu_s, 2),
        "gated_camera_s_per_cpu_s": round(seconds / gated_cpu_s, 2),
        "ungated_camera_s_per_cpu_s": round(seconds / sum(film["always_cpu_s"] for film in answer["films"]), 2),
        "gated_recall": min(film["recall"] for film in answer["films"]),
        "gated_films": answer["films"],
    }


def alert_latency(setting: Setting) -> Figures:
    """From a packet's arrival to its alert in the outbox, without the inference itself, at rated load."""
    seconds = "6" if setting.is_quick else "120"
    load = (str(RATED_CAMERAS), str(RATED_LOOKS_PER_S))
    answer = run_pinned("edge.bench.rated_box", _card(setting), seconds, *load, str(setting.clip), core=setting.core)
    return {
        "outbox_p50_ms": _rounded(answer["p50_ms"]),
        "outbox_p95_ms": _rounded(answer["p95_ms"]),
        "outbox_p99_ms": _rounded(answer["p99_ms"]),
        "outbox_alerts": answer["alerts"],
        "outbox_busy_share": round(answer["busy_share"], 2),
    }


def reconnecting(setting: Setting) -> Figures:
    """From "the server listens again" to the first picture, over many drops."""
    film = busy_clip(setting.clip, DROP_FRAMES)
    try:
        if setting.is_quick:
            took_s = measure_reconnects(film, streams=4, drops=8, longest_outage_s=2.0)
        else:
            took_s = measure_reconnects(film)
    except CamerasUnavailable as error:
        raise NothingToMeasure(str(error)) from None
    p50, p99 = np.percentile(took_s, [50, 99]).tolist()
    return {"reconnect_p50_s": round(p50, 2), "reconnect_p99_s": round(p99, 2), "reconnect_drops": len(took_s)}


def soaking(setting: Setting) -> Figures:
    """The line through the memory of a box whose eight cameras come and go."""
    due_s = count(0, 300)
    next_s = next(due_s)

    def hear(sample: Mapping[str, Any]) -> None:
        nonlocal next_s
        if sample["at_s"] >= next_s:
            next_s = next(due_s)
            setting.say(f"soak: after {sample['at_s'] / 60:.0f} min {sample['resident_mib']:.0f} MiB")

    try:
        minutes = QUICK_SOAK_MINUTES if setting.is_quick else SOAK_MINUTES
        return soak(soak_films(setting.clip), minutes, on_sample=hear)
    except CamerasUnavailable as error:
        raise NothingToMeasure(str(error)) from None


def _scenes(setting: Setting) -> Iterator[Scene]:
    """Quiet scenes without end: of the footage that is here, else of a part of the clip, and of the whole clip."""
    footage = _footage(setting)
    actors = tuple(Actors(clip, what) for clip, what in zip(footage, ("person", "car"), strict=False))
    actors = actors or (Actors(setting.clip, "person"),)
    calm = [Scene(clip=clip, actors=actors) for clip in reversed(footage)]
    calm = calm or [Scene(clip=setting.clip, actors=actors, crop=CALM_CORNER)]
    return cycle([*calm, Scene(clip=setting.clip, actors=actors)])


def _footage(setting: Setting) -> list[Path]:
    """Further clips beside the street's, where they are."""
    names = ("one-by-one-person-detection.mp4", "car-detection.mp4")
    found = [PLACES[0].with_name(name) for name in names if PLACES[0].with_name(name).is_file()]
    return [clip for clip in found if fingerprint(clip) != fingerprint(setting.clip)]


def _card(setting: Setting) -> str:
    return str(setting.weights.card(320))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
