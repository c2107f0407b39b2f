"""The same film from another moment on and for as long as it takes, as of a camera that was switched on long ago.

Packets are copied, not encoded, for films whose groups of pictures do not refer to each other.
"""

from pathlib import Path
from typing import cast

import av

SETTLING_GROUPS = 2
"""An encoder's first groups of pictures are larger than those that follow: it has nothing to refer to yet. Seen again
at every turn, they would be an alarm that no camera gives."""


def rotate(film: Path, copy: Path, *, share: float, seconds: float) -> None:
    """Write to `copy` what the film shows from the key frame at `share` (0..1) of it on, round and round.

    Its first `SETTLING_GROUPS` are left out; it must have more. The copy lasts `seconds`, or to the end of the group
    of pictures in which they end.
    """
    with av.open(str(film)) as source, av.open(str(copy), "w") as target:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream) if packet.size]
        times = [cast("int", packet.dts) for packet in packets]
        shown = [cast("int", packet.pts) for packet in packets]
        keys = [at for at, packet in enumerate(packets) if packet.is_keyframe][SETTLING_GROUPS:]
        length = times[-1] - times[keys[0]] + (packets[-1].duration or 0)
        assert stream.time_base is not None  # noqa: S101 - a film has one
        enough = seconds / stream.time_base
        written = target.add_stream_from_template(stream)
        at = first = keys[int(share * len(keys)) % len(keys)]
        later = -times[first]
        while times[at] + later < enough or not packets[at].is_keyframe:
            packet = packets[at]
            packet.dts, packet.pts, packet.stream = times[at] + later, shown[at] + later, written
            target.mux(packet)
            packet.stream = stream
            at += 1
            if at == len(packets):
                at, later = keys[0], later + length
