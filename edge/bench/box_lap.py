"""The box itself as a contestant: everything but the network connection. `python -m edge.bench.box_lap CARD.yaml`."""

import sys
import tempfile
from pathlib import Path

import cv2
import yaml

from alerts.blobs import BlobStore
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.outbox import Outbox
from edge.bench.peer.laps import serve
from edge.composition import build_box
from edge.config import Loaded, read_config
from models.cards import read_card
from models.detections import Detections
from models.detector import Detector
from models.letterbox import Pixels, Shrinkable

DEMO = Path(__file__).parents[1] / "demo-box.yaml"
MOST_LOOKS_PER_S = 30


class CountingDetector(Detector):
    """Counts the boxes it gives."""

    boxes = 0

    def detect(self, picture: Pixels | Shrinkable, *, score_threshold: float | None = None) -> Detections:
        """As the detector does."""
        found = super().detect(picture, score_threshold=score_threshold)
        self.boxes += len(found)
        return found


def main() -> None:
    """A lap is one pass over the clip that the line names, every frame of it analysed, into a new outbox on disk."""
    card = Path(sys.argv[1])
    cv2.setNumThreads(1)
    detector = CountingDetector.load(read_card(card))

    def lap(line: str) -> tuple[int, int]:
        detector.boxes = 0
        with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
            looks = watch(busy_box(card, Path(line), Path(folder)), detector, Path(folder))
        return looks, detector.boxes

    serve(lap)


def busy_box(card: Path, clip: Path, folder: Path) -> Loaded:
    """The demo's street camera on this clip, as fast as it goes and never asleep, with the network of this card."""
    content = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    street = content["cameras"][0]
    street |= {"url": str(clip.resolve()), "pace": "fast", "detections_per_s": MOST_LOOKS_PER_S, "gate": "always"}
    path = folder / "box.yaml"
    path.write_text(yaml.safe_dump({"detector": {"model": str(card)}, "cameras": [street]}), encoding="utf-8")
    return read_config(path)


def watch(loaded: Loaded, detector: Detector, folder: Path) -> int:
    """Watch until every file has ended; how many frames were analysed."""

    def tell(event: str, /, **fields: object) -> None:
        if event == "trouble":
            raise RuntimeError(f"{fields['what']}: {fields['reason']}")

    with Outbox.open(folder / "outbox.sqlite3", identity=nobody()) as outbox:
        box = build_box(loaded, [detector], outbox, BlobStore(folder / "evidence"), tell, until_end=True)
        box.run()
        return box.looks


def nobody() -> Identity:
    """An identity for an outbox that is never sent."""
    key = SigningKey.generate()
    return Identity(
        tenant="bench",
        device="bench",
        signing_key=key,
        centre_key=key.verify_key,
        center_url="http://127.0.0.1:9",
        mqtt_host="127.0.0.1",
        mqtt_port=9,
        mqtt_username="bench",
        mqtt_password="",
    )


if __name__ == "__main__":
    main()
