"""What happens between a player and a USB camera, inside a process that has one: see `usb_camera.py`.

python -m tests.streams.usb_scenes SCENE FOLDER    what came of it, as one JSON object
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from streams.clips import cut
from streams.decoder import Decoder
from streams.frames import Camera, Encoding, Wish
from streams.packets import Packet
from tests.streams.usb_camera import METADATA, NAMED, NODE, UsbCamera
from tests.streams.watching import Watcher, decode, watch_to_the_end

CAMERA = Camera(id="cam-1", url=f"v4l2://{NODE}", silence_s=1.0)


def filmed(wish: Wish, *, url: str = NODE, count: int = 5, pipeline: str = "") -> dict[str, Any]:
    """What comes of a wish."""
    camera = replace(CAMERA, url="" if pipeline else url, pipeline=pipeline, wish=wish, silence_s=10)
    with Watcher(camera) as watcher:
        watcher.wait_for_packets(count)
    packets = watcher.packets[:count]
    return described(packets) | {"states": watcher.states}


def described(packets: list[Packet]) -> dict[str, Any]:
    coding = packets[0].coding
    steps_s = [after.stream_s - before.stream_s for before, after in pairwise(packets)]
    return {
        "codec": coding.codec,
        "size": [coding.width, coding.height],
        "rate": float(coding.rate or 0),
        "encoder": coding.encoder,
        "keys": [packet.is_key for packet in packets],
        "steps_s": sorted(steps_s)[len(steps_s) // 2],
        "late_s": max(time.monotonic() - packet.monotonic_s for packet in packets),
        "pictures": sorted({image.frame().picture.shape for image in decode(packets)}),
        "clip": cut(packets).media_type,
    }


def wishes(_: UsbCamera) -> dict[str, Any]:
    return {
        "nothing": filmed(Wish(), url=NAMED),
        "raw": filmed(Wish(encoding=Encoding.RAW)),
        "slow": filmed(Wish(rate_per_s=4), count=4),
        "large": filmed(Wish(encoding=Encoding.MJPEG, size_px=(1280, 960))),
        "absent": failure(replace(CAMERA, wish=Wish(encoding=Encoding.RAW, size_px=(1280, 960)))),
    }


def film(_: UsbCamera) -> dict[str, Any]:
    return {"chosen": filmed(Wish(), count=30)}


def pipeline(_: UsbCamera) -> dict[str, Any]:
    return {"chosen": filmed(Wish(), pipeline=f"v4l2src device={NODE} ! image/jpeg")}


def failure(camera: Camera) -> str:
    return f"{watch_to_the_end(camera).states[-1]}: {watch_to_the_end(camera).player.failure}"


def refusals(camera: UsbCamera) -> dict[str, Any]:
    told = {
        "metadata": failure(replace(CAMERA, url=METADATA)),
        "no device": failure(replace(CAMERA, url="/dev/video77")),
    }
    for word in ("gone", "denied", "busy"):
        camera.tell(word)
        told[word] = failure(CAMERA)
    camera.tell()
    with Watcher(CAMERA) as first:
        first.wait_for_packets(1)
        told["a second one"] = failure(CAMERA)
    return told


def troubles(camera: UsbCamera) -> dict[str, Any]:
    """Pulled out and put in again, then stuck, then stopped while it is stuck, all while it is watched."""
    with Watcher(CAMERA) as watcher:
        watcher.wait_for_packets(3)
        camera.tell("gone")
        watcher.wait_for("unreachable", 2)
        pulled_out = [watcher.reasons["unreachable"]]
        camera.tell()
        watcher.wait_for("playing", 2)
        camera.tell("silent")
        watcher.wait_for("unreachable", 3)
        stuck = watcher.reasons["unreachable"]
        camera.tell()
        watcher.wait_for("playing", 3)
        camera.tell("silent")
    times_s = [packet.stream_s for packet in watcher.packets]
    return {
        "states": list(dict.fromkeys(pairwise(watcher.states))),
        "pulled out": pulled_out,
        "stuck": stuck,
        "is stopped": watcher.player.has_ended,
        "takes": sorted({packet.take for packet in watcher.packets}),
        "runs backwards": times_s != sorted(times_s),
    }


def damage(camera: UsbCamera) -> dict[str, Any]:
    """Half of each picture is lost on the bus."""
    decoder = Decoder()
    with Watcher(CAMERA) as watcher:
        watcher.wait_for_packets(2)
        camera.tell("corrupt")
        watcher.wait_for_packets(len(watcher.packets) + 1)
        begins = len(watcher.packets)
        watcher.wait_for_packets(begins + 5)
        camera.tell()
    images = decode(watcher.packets[begins : begins + 5], decoder)
    return {"pictures": len(images), "damaged": decoder.damaged}


SCENES: dict[str, Callable[[UsbCamera], dict[str, Any]]] = {
    each.__name__: each for each in (wishes, film, pipeline, refusals, troubles, damage)
}

if __name__ == "__main__":
    print(json.dumps(SCENES[sys.argv[1]](UsbCamera(Path(sys.argv[2]), {}))))  # noqa: T201 - to the test
