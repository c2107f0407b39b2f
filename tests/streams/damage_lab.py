"""Plays files as a box does, in a process of its own so that a crash is seen: one line of JSON for each, flushed.

python -m tests.streams.damage_lab FILE...
"""

import json
import sys
import threading
from itertools import pairwise

import av

from streams.decoder import Decoder
from streams.frames import Camera, Pace
from streams.packets import Packet
from streams.player import Player

LONGEST_S = 30.0


def play(path: str) -> dict[str, object]:
    """What came out of a file, and what the camera said about itself."""
    decoder = Decoder()
    told: list[tuple[str, str]] = []
    sizes: list[tuple[int, int]] = []
    times_s: list[float] = []
    counts = {"packets": 0, "images": 0}

    def decode(packet: Packet) -> None:
        counts["packets"] += 1
        times_s.append(packet.stream_s)
        for image in decoder.decode(packet):
            counts["images"] += 1
            if (image.content.width, image.content.height) not in sizes or counts["images"] % 20 == 0:
                rows, columns = image.frame().picture.shape[:2]
                assert image.luma(64, 36).shape == (36, 64)
                if (columns, rows) not in sizes:
                    sizes.append((columns, rows))
        player.note_damage(decoder.damaged)

    player = Player(
        Camera(id="cam", url=path, pace=Pace.FAST),
        on_packet=decode,
        on_state=lambda state, reason: told.append((str(state), reason)),
        persistent=False,
    )
    player.start()
    player.join(LONGEST_S)
    return {
        "file": path,
        "has_ended": player.has_ended,
        "told": told,
        "damaged": player.damaged + decoder.damaged,
        "sizes": sizes,
        "longest_step_s": max((abs(after - before) for before, after in pairwise(times_s)), default=0.0),
        "threads": [thread.name for thread in threading.enumerate() if thread.name.startswith("camera")],
        **counts,
    }


if __name__ == "__main__":
    av.logging.set_level(av.logging.PANIC)
    for path in sys.argv[1:]:
        sys.stdout.write(f"{path}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{json.dumps(play(path))}\n")
        sys.stdout.flush()
