"""What the bench measures with: clips as cameras send them, plentiful labels, a plain loop that really tracks."""

from math import inf
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from edge.bench.clips import NothingToMeasure, busy_clip, street_clip
from edge.bench.gated_box import Happening, recall
from edge.bench.lessons import write_lessons
from edge.bench.plain_loop import OverlapTracker, PlainDetector, letterbox
from models.cards import load_card, read_card
from models.detector import Detector
from tests.models.networks import write_yolov8


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "teawatch"


def test_the_busy_clip_is_720p_as_a_camera_sends_it_and_made_once(vtest: Path) -> None:
    clip = busy_clip(vtest, 25)
    with av.open(str(clip)) as video:
        stream = video.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 1280, 720)
        packets = [packet for packet in video.demux(stream) if packet.size]
    assert [index for index, packet in enumerate(packets) if packet.is_keyframe] == [0, 20]
    assert all(packet.pts == packet.dts for packet in packets)
    assert len(packets) == 25
    made = clip.stat().st_mtime_ns
    assert busy_clip(vtest, 25).stat().st_mtime_ns == made
    assert [file.name for file in clip.parent.iterdir()] == [clip.name]


def test_what_is_no_video_cannot_be_made_into_a_clip(tmp_path: Path) -> None:
    text = tmp_path / "text.avi"
    text.write_text("no video")
    with pytest.raises(NothingToMeasure, match=r"text\.avi: cannot be made into a clip"):
        busy_clip(text, 5)
    assert list((tmp_path / "cache" / "teawatch" / "bench").iterdir()) == []


def test_the_demos_clip_is_taken_first(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "vtest.avi").touch()
    assert street_clip() == cache / "vtest.avi"


def test_lessons_are_tiles_of_both_sizes_with_plentiful_labels_inside_them(vtest: Path, tmp_path: Path) -> None:
    description = yaml.safe_load(write_lessons(vtest, tmp_path / "lessons", pictures=4).read_text())
    assert description["names"][0] == "person"
    files = sorted((tmp_path / "lessons" / "labels").iterdir())
    assert [file.name[4:] for file in files] == ["-320.txt", "-640.txt"] * 4
    counts = []
    for file in files:
        rows = np.array([line.split() for line in file.read_text().splitlines()], np.float64).reshape(-1, 5)
        left_top, right_bottom = rows[:, 1:3] - rows[:, 3:] / 2, rows[:, 1:3] + rows[:, 3:] / 2
        assert left_top.min(initial=0) >= -1e-4
        assert right_bottom.max(initial=0) <= 1 + 1e-4
        counts.append(len(rows))
    assert np.mean(counts[::2]) >= 5
    assert (tmp_path / "lessons" / description["val"]).is_file()
    assert len(list((tmp_path / "lessons" / "images").iterdir())) == 8


def test_the_plain_loop_finds_what_the_box_finds(tmp_path: Path) -> None:
    found = [("person", 0.8, (100, 160, 20, 40)), ("car", 0.6, (200, 150, 40, 20)), ("car", 0.5, (201, 150, 40, 20))]
    card = read_card(write_yolov8(tmp_path, "own", 320, found))
    picture = np.zeros((360, 640, 3), np.uint8)
    expected = Detector.load(card).detect(picture)
    boxes, classes = PlainDetector.load(str(card.file), 320, 0.25, 0.45)(picture)
    assert boxes == pytest.approx(expected.boxes)
    assert classes.tolist() == expected.classes.tolist()


def test_the_plain_loop_puts_the_picture_where_the_box_does() -> None:
    square, scale, left, top = letterbox(np.full((360, 640, 3), 200, np.uint8), 320)
    assert (square.shape, scale, left, top) == ((320, 320, 3), 0.5, 0, 70)
    assert (square[70:250] == 200).all()


def test_the_plain_tracker_keeps_numbers_through_movement_a_gap_and_a_neighbour_of_another_class() -> None:
    tracker = OverlapTracker()
    person, car = load_card("yolov3_tiny").classes.index("person"), load_card("yolov3_tiny").classes.index("car")
    walker = np.array([[10, 10, 30, 50]], np.float32)
    assert tracker.update(walker, np.array([person])) == [1]
    assert tracker.update(np.concatenate((walker + 3, walker)), np.array([person, car])) == [1, 2]
    assert tracker.update(np.empty((0, 4), np.float32), np.empty(0, np.int64)) == []
    assert tracker.update(walker + 6, np.array([person])) == [1]
    assert tracker.update(walker + 100, np.array([person])) == [3]


def test_the_plain_tracker_forgets_what_has_been_gone_for_long() -> None:
    tracker = OverlapTracker()
    box, kind = np.array([[10, 10, 30, 50]], np.float32), np.array([0])
    tracker.update(box, kind)
    for _ in range(40):
        tracker.update(np.empty((0, 4), np.float32), np.empty(0, np.int64))
    assert tracker.update(box, kind) == [2]


def test_recall_counts_what_was_found_at_its_time_and_of_its_kind() -> None:
    known = [Happening("a", 10, 20), Happening("a", 30, 40), Happening("b", 10, inf), Happening("b", 5, 6)]
    assert recall([Happening("a", 12, 33), Happening("b", 100, inf)], known) == 3 / 4
    assert recall([], known) == 0
    assert recall([Happening("a", 1, 2)], []) == 1
