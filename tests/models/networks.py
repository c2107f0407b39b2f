"""Networks made by hand: ONNX files that say the same about every picture, written without the onnx package."""

import hashlib
from pathlib import Path

import numpy as np
import yaml

from models.cards import load_card

FLOAT = 1
IR_VERSION, OPSET = 8, 17


def _varint(number: int) -> bytes:
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _port(name: str, shape: tuple[int, ...]) -> bytes:
    """A ValueInfoProto of floats."""
    dimensions = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT) + _bytes(2, dimensions)))


def write_network(path: Path, input_px: int, output: np.ndarray) -> str:
    """A network of one square input that always answers `output`; the SHA-256 of its file (onnx.proto, ModelProto)."""
    values = output.astype(np.float32)
    dimensions = b"".join(_number(1, size) for size in values.shape)
    tensor = dimensions + _number(2, FLOAT) + _bytes(8, "found") + _bytes(9, values.tobytes())
    node = _bytes(1, "found") + _bytes(2, "output0") + _bytes(4, "Identity")
    graph = (
        _bytes(1, node)
        + _bytes(2, "by hand")
        + _bytes(5, tensor)
        + _bytes(11, _port("images", (1, 3, input_px, input_px)))
        + _bytes(12, _port("output0", values.shape))
    )
    model = _number(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, OPSET))
    path.write_bytes(model)
    return hashlib.sha256(model).hexdigest()


def write_yolov8(folder: Path, name: str, input_px: int, found: list[tuple[str, float, tuple[float, ...]]]) -> Path:
    """A card, and beside it a YOLOv8 network that finds these: class, score, centre and size in input pixels."""
    shipped = load_card("yolov3_tiny").model_dump(mode="json", exclude={"measured"})
    output = np.zeros((1, 4 + len(shipped["classes"]), len(found) + 3), np.float32)
    for place, (kind, score, box) in enumerate(found):
        output[0, :4, place] = box
        output[0, 4 + shipped["classes"].index(kind), place] = score
    file = folder / f"{name}.onnx"
    card = shipped | {
        "name": name,
        "file": file.name,
        "sha256": write_network(file, input_px, output),
        "head": {"kind": "yolov8"},
    }
    card["input"] |= {"size_px": input_px, "centred": True}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(card), "utf-8")
    return path
