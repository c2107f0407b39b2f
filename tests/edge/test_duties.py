"""From a configuration to duties: what each camera's section becomes, and what counts as a change."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from edge.config import Loaded, read_config
from edge.duties import RING_SPARE_S, check_memory, duties_of, orphan_witness_of, witnesses_of
from edge.gate.gate import GateSettings
from streams.errors import RingTooLarge

CAMERA: dict[str, Any] = {
    "id": "a",
    "url": "film.avi",
    "zones": [{"id": "yard", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}],
    "rules": [
        {
            "id": "parking",
            "rule": "stationary",
            "zone": "yard",
            "parameters": {"dwell_s": 3, "classes": ["car", "truck"]},
        }
    ],
}
LIVE: dict[str, Any] = {**CAMERA, "id": "b", "url": "rtsp://192.0.2.1/sub", "main_url": "rtsp://192.0.2.1/main"}


def loaded(folder: Path, *cameras: dict[str, Any]) -> Loaded:
    path = folder / "box.yaml"
    path.write_text(yaml.safe_dump({"cameras": list(cameras)}))
    return read_config(path)


def test_what_is_read_twice_is_no_change(tmp_path: Path) -> None:
    first, second = (duties_of(loaded(tmp_path, CAMERA, LIVE)) for _ in range(2))
    assert [(duty.plan, duty.posts) for duty in first] == [(duty.plan, duty.posts) for duty in second]


@pytest.mark.parametrize(
    "zone",
    [
        {"id": "yard", "polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]},
        {"id": "gate", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]},
    ],
)
def test_another_zone_changes_the_posts_and_leaves_the_stream_alone(zone: dict[str, Any], tmp_path: Path) -> None:
    (before,) = duties_of(loaded(tmp_path, CAMERA))
    rules = [{**CAMERA["rules"][0], "zone": zone["id"]}]
    (after,) = duties_of(loaded(tmp_path, {**CAMERA, "zones": [zone], "rules": rules}))
    assert after.plan == before.plan
    assert after.posts != before.posts


@pytest.mark.parametrize(
    "change", [{"url": "other.avi"}, {"detections_per_s": 5}, {"gate": "always"}, {"clip": {"ring_mb": 8}}]
)
def test_what_concerns_the_stream_changes_the_plan(change: dict[str, Any], tmp_path: Path) -> None:
    (before,) = duties_of(loaded(tmp_path, CAMERA))
    (after,) = duties_of(loaded(tmp_path, {**CAMERA, **change}))
    assert after.plan != before.plan


def test_a_section_becomes_a_plan(tmp_path: Path) -> None:
    fast = {**CAMERA, "pace": "fast", "gate": {"calm_s": 5}, "clip": {"pre_roll_s": 7, "post_roll_s": 3, "ring_mb": 4}}
    file, live = (duty.plan for duty in duties_of(loaded(tmp_path, fast, LIVE), until_end=True))
    assert (file.is_live, file.is_fast, file.until_end, file.main) == (False, True, True, None)
    assert file.camera.url == str(tmp_path / "film.avi")
    assert (file.gate, file.classes) == (GateSettings(calm_s=5), frozenset({"car", "truck"}))
    assert (file.ring_s, file.ring_bytes) == (7 + RING_SPARE_S, 4 * 1024 * 1024)
    assert (file.roll.before_s, file.roll.after_s) == (7, 3)
    assert (live.is_live, live.is_fast) == (True, False)
    assert live.main is not None
    assert live.main.url.endswith("/main")


def test_a_live_camera_is_never_fast(tmp_path: Path) -> None:
    (duty,) = duties_of(loaded(tmp_path, {**LIVE, "pace": "fast"}))
    assert not duty.plan.is_fast


def test_a_gate_that_is_always_open_is_off(tmp_path: Path) -> None:
    (duty,) = duties_of(loaded(tmp_path, {**CAMERA, "gate": "always"}))
    assert duty.plan.gate.is_off


def test_witnesses_say_whether_it_was_live_and_by_which_configuration(tmp_path: Path) -> None:
    both = loaded(tmp_path, CAMERA, LIVE)
    assert {camera: witness.footage for camera, witness in witnesses_of(both).items()} == {
        "a": "recording",
        "b": "live",
    }
    assert {witness.config_sha256 for witness in witnesses_of(both).values()} == {both.sha256}
    assert orphan_witness_of(both).config_sha256 == both.sha256


def test_cars_and_trucks_are_one_family_and_persons_are_not(tmp_path: Path) -> None:
    (duty,) = duties_of(loaded(tmp_path, CAMERA))
    assert duty.family_of("car") == duty.family_of("truck") != duty.family_of("person")


def test_rings_larger_than_memory_are_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.duties.memory_bytes", lambda: 1024 * 1024 * 1024)
    check_memory(loaded(tmp_path, {**CAMERA, "clip": {"ring_mb": 100}}))
    both_streams = {**LIVE, "clip": {"ring_mb": 400}}
    with pytest.raises(RingTooLarge, match="b alone 800 MiB"):
        check_memory(loaded(tmp_path, CAMERA, both_streams))
