"""Clips in a real Chromium, as an officer gets to see them. H.265 is not among them: Debian's plays none."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from playwright.sync_api import Page, sync_playwright

from streams.clips import cut
from streams.packets import Packet
from streams.ring import PacketRing
from tests.journey.test_pages_browser import FLAGS
from tests.streams.reels import RATE, encode, read

pytestmark = pytest.mark.system("chromium")

PLAY: Final = """
async ([url, middle]) => {
  const video = document.createElement("video");
  video.muted = true;
  const heard = (name) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, {once: true});
    video.addEventListener("error", () => reject(new Error(video.error.message)), {once: true});
  });
  const ready = heard("canplaythrough");
  video.src = url;
  document.body.append(video);
  await ready;
  const sought = heard("seeked");
  video.currentTime = middle;
  await sought;
  const back = heard("seeked");
  video.currentTime = 0;
  await back;
  video.playbackRate = 16;
  const ended = heard("ended");
  await video.play();
  await ended;
  return {width: video.videoWidth, height: video.videoHeight, duration: video.duration, at: video.currentTime};
}
"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser.new_page()
        browser.close()


def turned(packets: tuple[Packet, ...]) -> tuple[Packet, ...]:
    return tuple(replace(packet, coding=replace(packet.coding, quarters=1)) for packet in packets)


def from_ring(packets: tuple[Packet, ...]) -> tuple[Packet, ...]:
    ring = PacketRing(seconds=60, max_bytes=10**8)
    for packet in packets:
        ring.append(packet)
    return ring.spanning(1.5)


@pytest.mark.parametrize(
    ("made", "change", "seconds", "size"),
    [
        pytest.param({}, tuple, 4, (192, 144), id="with B-frames"),
        pytest.param({"options": {"bf": "0"}}, tuple, 4, (192, 144), id="without B-frames"),
        pytest.param({}, from_ring, 3, (192, 144), id="from a ring"),
        pytest.param(
            {"options": {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}}, tuple, 4, (192, 144), id="open groups"
        ),
        pytest.param({"container": "mp4"}, tuple, 4, (192, 144), id="from a file"),
        pytest.param({}, turned, 4, (144, 192), id="turned"),
        pytest.param({"codec": "libvpx", "container": "webm"}, tuple, 4, (192, 144), id="VP8"),
    ],
)
def test_chromium_plays_and_seeks_it_to_the_end(
    page: Page, made: Mapping[str, Any], change: Any, seconds: float, size: tuple[int, int]
) -> None:
    clip = cut(change(read(encode(**made))))
    url = f"data:{clip.media_type};base64,{base64.b64encode(clip.data).decode()}"
    played = page.evaluate(PLAY, [url, seconds / 2])
    assert (played["width"], played["height"]) == size
    assert played["duration"] == pytest.approx(seconds, abs=3 / RATE)
    assert played["at"] == played["duration"]
