"""`teawatch demo`: the whole product on one machine, with nothing mocked.

The centre and the box are processes of their own, started by their commands like everybody else's; they share no
folder and no database, and meet over MQTT and HTTP on 127.0.0.1. What they write lives in a new temporary folder and
goes with it.
"""

from center.demo.command import app

__all__ = ["app"]
