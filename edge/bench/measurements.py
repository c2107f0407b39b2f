"""The table of measurements: each a name, the figures it fills in, and the function that takes them."""

import sys
from pathlib import Path

from edge.bench import street
from edge.bench.clips import NothingToMeasure, busy_clip
from edge.bench.environment import peer_python, peer_variables, script
from edge.bench.racing import Contestant, Plan, Race, race
from edge.bench.setting import Figures, Measurement, Setting
from edge.bench.watching import alert_latency, cameras_per_core, gate_worth, missed_events, reconnecting, soaking
from models.cards import read_card

TRACKERS = {"ultralytics": "botsort.yaml", "ultralytics bytetrack": "bytetrack.yaml"}
"""The peer with the tracker it uses unless told otherwise, and, in long runs, with its cheaper one."""

WARMING_FRAMES = 5
UNDISTURBED = 0.9
"""Share of the core below which a race was disturbed."""


def race_at_320(setting: Setting) -> Figures:
    """The box, the peer and the plain loop at 320 px, where decoding, tracking and rules weigh most."""
    plan = (
        Plan(frames=24, rounds=1, ceiling_runs=12) if setting.is_quick else Plan(frames=200, rounds=3, ceiling_runs=60)
    )
    contestants = [_box(setting, 320), *_peer(setting, 320), _plain_loop(setting, 320)]
    result = _race(setting, 320, contestants, plan)
    return {
        "ceiling_fps_320": result.ceiling_fps,
        "busy_fps_320": result.fps("box"),
        "ultralytics_fps_320": result.fps("ultralytics"),
        "opencv_loop_fps_320": result.fps("plain loop"),
        **_ratios(result, "_320"),
    }


def race_at_640(setting: Setting) -> Figures:
    """The box at 640 px."""
    plan = (
        Plan(frames=10, rounds=1, ceiling_runs=5) if setting.is_quick else Plan(frames=100, rounds=2, ceiling_runs=30)
    )
    result = _race(setting, 640, [_box(setting, 640)], plan)
    return {"ceiling_fps": result.ceiling_fps, "busy_fps": result.fps("box"), **_ratios(result, "")}


MEASUREMENTS = (
    Measurement("street", street.KEYS, lambda setting: street.watch_once(setting.clip, setting.street), runs="long"),
    Measurement(
        "race-320",
        ("ceiling_fps_320", "busy_fps_320", "ultralytics_fps_320", "opencv_loop_fps_320", "busy_ratio_320"),
        race_at_320,
    ),
    Measurement("race-640", ("ceiling_fps", "busy_fps", "busy_ratio"), race_at_640, beside="quick"),
    Measurement("quiet", ("quiet_cameras_per_core", "mb_per_camera"), cameras_per_core),
    Measurement("events", ("missed_short_events", "short_events"), missed_events, beside="quick"),
    Measurement("gated", ("gated_camera_s_per_cpu_s", "gated_recall"), gate_worth, beside="quick"),
    Measurement("latency", ("outbox_p50_ms", "outbox_p95_ms", "outbox_p99_ms"), alert_latency, beside="quick"),
    Measurement("reconnect", ("reconnect_p50_s", "reconnect_p99_s"), reconnecting, beside="always"),
    Measurement("soak", ("soak_mib_per_hour", "soak_grows"), soaking, runs="asked"),
)


def _race(setting: Setting, size_px: int, contestants: list[Contestant], plan: Plan) -> Race:
    command = (sys.executable, "-m", "edge.bench.ceiling", str(_card(setting, size_px)))
    result = race(
        Contestant("ceiling", command, {}),
        contestants,
        busy_clip(setting.clip, plan.frames),
        busy_clip(setting.clip, WARMING_FRAMES),
        plan=plan,
        core=setting.core,
    )
    for reason in result.missing.values():
        setting.say(reason)
    if result.core_share < UNDISTURBED:
        setting.say(f"others were on core {setting.core}: a lap had {result.core_share:.0%} of it, so ratios are rough")
    return result


def _card(setting: Setting, size_px: int) -> Path:
    """The card of the network of this size; raises BadModelCard before anything is started or installed."""
    path = setting.weights.card(size_px)
    read_card(path)
    return path


def _network(setting: Setting, size_px: int) -> tuple[str, ...]:
    """The same network for who knows nothing of cards: file, input size, least score, most overlap."""
    card = read_card(_card(setting, size_px))
    return (str(card.file), str(size_px), str(card.score_threshold), str(card.overlap_threshold))


def _box(setting: Setting, size_px: int) -> Contestant:
    return Contestant("box", (sys.executable, "-m", "edge.bench.box_lap", str(_card(setting, size_px))), {})


def _plain_loop(setting: Setting, size_px: int) -> Contestant:
    command = (sys.executable, "-m", "edge.bench.plain_loop", *_network(setting, size_px))
    return Contestant("plain loop", command, {})


def _peer(setting: Setting, size_px: int) -> list[Contestant]:
    """Nobody where the peer cannot be installed; the reason is said."""
    try:
        python = peer_python(setting.say)
    except NothingToMeasure as error:
        setting.say(str(error))
        return []
    command = (str(python), script("track"), *_network(setting, size_px))
    peers = [Contestant(name, (*command, tracker), peer_variables()) for name, tracker in TRACKERS.items()]
    return peers[:1] if setting.is_quick else peers


def _ratios(result: Race, suffix: str) -> Figures:
    """Shares of the ceiling, and what stands behind them."""
    figures: dict[str, object] = {f"ceiling_cpu_ms{suffix}": result.ceiling_cpu_ms}
    for name, standing in result.standings.items():
        key = {"box": "busy", "plain loop": "opencv_loop"}.get(name, name.replace(" ", "_"))
        figures |= {
            f"{key}_ratio{suffix}": round(standing.share, 3),
            f"{key}_cpu_ratio{suffix}": round(result.ceiling_cpu_ms / standing.cpu_ms_per_frame, 3),
            f"{key}_boxes_per_frame{suffix}": standing.boxes_per_frame,
            f"{key}_cpu_ms{suffix}": standing.cpu_ms_per_frame,
            f"{key}_core_share{suffix}": standing.core_share,
        }
    return figures
