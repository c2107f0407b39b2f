"""Pictures to boxes: model cards, ONNX sessions, detector heads. Start with `detector.Detector`."""
