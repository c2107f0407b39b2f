"""The box beside the cameras. Start with `__main__` (how it is put together), then `loop`, `watch`, `rules`."""
