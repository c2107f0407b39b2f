"""`teawatch bench edge`: what a box can do, measured; a table of measurements, each in a small module of its own."""

from edge.bench.command import app

__all__ = ["app"]
