"""Detections of the real clips, made once for all tests of a run: looking is dear, thinking about it is cheap."""

import hashlib
from pathlib import Path

import av
import pytest

import models
from models.cards import load_card
from models.detector import Detector
from tests.edge.replay import Clip, Seen

MOST_LOOKS_PER_S = 5


@pytest.fixture(autouse=True)
def nothing_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes that tests start, several at a time, do not fight for the one port of figures."""
    monkeypatch.setenv("TEAWATCH_EDGE_METRICS_PORT", "0")


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector.load(load_card("yolov3_tiny"))


@pytest.fixture(scope="session")
def clip(vtest: Path, detector: Detector, kept: Path) -> Clip:
    """Vtest at five looks a second."""
    return watch(vtest, detector, kept, every_nth=10 // MOST_LOOKS_PER_S)


@pytest.fixture(scope="session")
def indoor_clip(shared: Path, detector: Detector, kept: Path) -> Clip:
    """Six people who come into a room one by one, stand for a while and go: at one look a second."""
    return watch(shared / "footage" / "one-by-one-person-detection.mp4", detector, kept, every_nth=10)


@pytest.fixture(scope="session")
def traffic_clip(shared: Path, detector: Detector, kept: Path) -> Clip:
    """Four cars that drive through, seen from straight above: at two looks a second."""
    return watch(shared / "footage" / "car-detection.mp4", detector, kept, every_nth=6)


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest) -> Path:
    """Where detections are kept from run to run, as long as the model and the code that reads it are the same."""
    digest = hashlib.sha256(load_card("yolov3_tiny").sha256.encode())
    for source in sorted(Path(models.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return request.config.cache.mkdir(f"detections-{digest.hexdigest()[:16]}")


@pytest.fixture
def short_clip(vtest: Path, tmp_path: Path) -> Path:
    """The first seconds of vtest as a file of their own."""
    return cut(vtest, tmp_path / "short.avi", packets=80)


def watch(path: Path, detector: Detector, kept: Path, *, every_nth: int, until_s: float = 1e9) -> Clip:
    file = kept / f"{path.stem}-{every_nth}-{until_s:.0f}.npz"
    if not file.exists():
        _watch(path, detector, every_nth, until_s).save(file)
    return Clip.load(file)


def _watch(path: Path, detector: Detector, every_nth: int, until_s: float) -> Clip:
    seen = []
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if frame.time > until_s:
                break
            if index % every_nth == 0:
                seen.append(Seen(frame.time, detector.detect(frame.to_ndarray(format="bgr24"))))
            size = (frame.width, frame.height)
    return Clip(tuple(seen), size, detector.class_names)


def cut(source: Path, target: Path, *, packets: int) -> Path:
    with av.open(str(source)) as original, av.open(str(target), "w") as copy:
        stream = original.streams.video[0]
        out = copy.add_stream_from_template(stream)
        for number, packet in enumerate(original.demux(stream)):
            if packet.dts is None or number >= packets:
                break
            packet.stream = out
            copy.mux(packet)
    return target
