"""Makes torchvision importable beside a build of torch that its compiled operators were not made for.

PyPI's torchvision is compiled against torch with CUDA; with the much smaller build for processors its operators do not
load, and without `torchvision::nms` it cannot even be imported. Of all operators only that one is ever called here; it
is given to OpenCV, whose compiled suppression is as fast, so that the peer loses nothing by it.

Runs in the peer's environment only; nothing of TeaWatch is installed there.
"""

import importlib
from typing import Any


def provide() -> list[Any]:
    """Define `torchvision::nms` where it is missing, before anything else imports torchvision.

    The answer has to be kept as long as torchvision is used: the operators go with it.
    """
    torch: Any = importlib.import_module("torch")
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return []
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _suppress, "CPU")
    for module in ("torchvision.extension", "torchvision.ops.boxes"):
        importlib.import_module(module)._assert_has_ops = lambda: None  # type: ignore[attr-defined]  # noqa: SLF001 - it only asks for the operators defined above
    return [library]


def _suppress(boxes: Any, scores: Any, overlap: float) -> Any:  # noqa: ANN401 - tensors, and torch is not here
    """Places of the boxes (N, 4) that stay, strongest first."""
    cv2: Any = importlib.import_module("cv2")
    torch: Any = importlib.import_module("torch")
    sized = boxes.clone()
    sized[:, 2:] -= boxes[:, :2]
    kept = cv2.dnn.NMSBoxes(sized.numpy(), scores.numpy(), 0.0, overlap)
    return torch.as_tensor(kept, dtype=torch.int64)
