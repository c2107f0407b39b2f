"""Trains the network that all competitors share, and exports it to ONNX in fp32, one file for each input size.

Runs in the peer's environment: `python train.py DATA.yaml FOLDER --sizes 320 640 --epochs N`. The network has the shape
of YOLOv8n, from the library's own description of it: nothing is downloaded, and it starts from random weights.
"""

import argparse
import importlib
from pathlib import Path
from typing import Any

TRAINED_PX = 320
BATCH = 8
AVERAGES_MOMENTUM = 0.1


def train(data: Path, folder: Path, sizes_px: list[int], epochs: int) -> None:
    """Train on the pictures that `data` names and write `FOLDER/<size>.onnx` for each size."""
    yolo: Any = importlib.import_module("ultralytics").YOLO
    network = yolo("yolov8n.yaml")
    network.add_callback("on_train_start", _learn_averages_fast)
    network.train(
        data=str(data),
        imgsz=TRAINED_PX,
        epochs=epochs,
        batch=BATCH,
        nbs=BATCH,  # a step after every batch, not after 64 pictures
        device="cpu",
        workers=0,
        optimizer="AdamW",
        lr0=0.002,
        warmup_epochs=1,
        cos_lr=True,
        pretrained=False,
        val=False,
        plots=False,
        cache="ram",
        seed=7,
        # The clip itself is what has to be found: nothing is varied.
        mosaic=0.0,
        erasing=0.0,
        fliplr=0.0,
        hsv_h=0.0,
        hsv_s=0.0,
        hsv_v=0.0,
        translate=0.0,
        scale=0.0,
        project=str(folder),
        name="training",
        exist_ok=True,
    )
    weights = folder / "training" / "weights" / "last.pt"
    for size_px in sizes_px:
        written = yolo(str(weights)).export(format="onnx", imgsz=size_px, batch=1, opset=17, nms=False, simplify=True)
        Path(written).replace(folder / f"{size_px}.onnx")


def _learn_averages_fast(trainer: Any) -> None:  # noqa: ANN401 - the library's, which is not here
    """Few batches: at the library's own momentum the normalising layers would still hold their first averages."""
    for module in trainer.model.modules():
        if type(module).__name__ == "BatchNorm2d":
            module.momentum = AVERAGES_MOMENTUM


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    asked = parser.parse_args()
    kept = importlib.import_module("torchvision_operators").provide()
    train(asked.data, asked.folder, asked.sizes, asked.epochs)
    kept.clear()


if __name__ == "__main__":
    main()
