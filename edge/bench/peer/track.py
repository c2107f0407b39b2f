"""The peer: `ultralytics` tracks the clip with the same ONNX file, as its documentation shows it.

Runs in the peer's environment: `python track.py MODEL.onnx SIZE SCORE OVERLAP TRACKER.yaml`.
"""

import importlib
import sys
from typing import Any


def _use_one_thread() -> None:
    """ONNX Runtime else starts a thread for each core of the machine, and they would spin on the one core there is."""
    runtime: Any = importlib.import_module("onnxruntime")

    start: Any = runtime.InferenceSession

    def start_with_one_thread(model: Any, options: Any = None, **others: Any) -> Any:  # noqa: ANN401 - the library's
        options = options or runtime.SessionOptions()
        options.intra_op_num_threads = 1
        return start(model, options, **others)

    runtime.InferenceSession = start_with_one_thread


def main() -> None:
    """Load the network once; a lap is one call of `track` over a clip."""
    model, size_px, score, overlap, tracker = sys.argv[1:]
    kept = importlib.import_module("torchvision_operators").provide()
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    _use_one_thread()
    importlib.import_module("cv2").setNumThreads(1)
    network: Any = importlib.import_module("ultralytics").YOLO(model, task="detect")

    def lap(clip: str) -> tuple[int, int]:
        frames = boxes = 0
        results = network.track(
            source=clip,
            stream=True,
            imgsz=int(size_px),
            conf=float(score),
            iou=float(overlap),
            tracker=tracker,
            verbose=False,
            save=False,
        )
        for result in results:
            frames += 1
            boxes += len(result.boxes)
        return frames, boxes

    importlib.import_module("laps").serve(lap)
    kept.clear()


if __name__ == "__main__":
    main()
