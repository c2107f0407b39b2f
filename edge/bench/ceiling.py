"""The ceiling: ONNX Runtime alone, one thread, on one prepared input. `python -m edge.bench.ceiling CARD.yaml`."""

import sys
from pathlib import Path

import numpy as np

from edge.bench.peer.laps import serve
from models.cards import read_card
from models.detector import Detector


def main() -> None:
    """A lap is as many runs of the network as the line says."""
    detector = Detector.load(read_card(Path(sys.argv[1])))
    size_px = detector.card.input.size_px
    run = detector.bare_run(np.random.default_rng(7).random((1, 3, size_px, size_px), dtype=np.float32))

    def lap(line: str) -> tuple[int, int]:
        count = int(line)
        for _ in range(count):
            run()
        return count, 0

    serve(lap)


if __name__ == "__main__":
    main()
