"""A video device of this machine, a USB camera above all.

It is filmed without FFmpeg, whose reader chooses no format and waits for ever for a camera that is stuck.
"""

import errno
import mmap
import os
import select
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from ctypes import c_int
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from av.error import FFmpegError

from streams.addresses import device_path
from streams.failures import not_offered, of_device, silent, without_pictures
from streams.ffmpeg import Sent, packet_of
from streams.frames import Camera
from streams.offers import Offer, choose, read_offers, told
from streams.packets import Coding
from streams.parameters import begins_anew, template
from streams.pressing import JpegPress
from streams.sizes import SizeWatch
from streams.video4linux import (
    CAPTURE,
    DAMAGED,
    MAPPED,
    PUT_BUFFER,
    QUERY_ABILITIES,
    QUERY_BUFFER,
    REQUEST_BUFFERS,
    SET_FORMAT,
    SET_PARAMETERS,
    START,
    TAKE_BUFFER,
    Ability,
    Buffer,
    BufferRequest,
    Capability,
    PictureFormat,
    StreamParameters,
    ask,
)

_BUFFERS = 8
_SLICE_MS = 100
_TIME_BASE = Fraction(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Device:
    """Where it is, and what ends the filming from another thread."""

    path: str
    stopping: threading.Event


class DeviceDemuxer:
    """The packets of a video device, as `demuxer.Demuxer` gives those of everything else. Not thread-safe.

    Raw pictures, of which a ring would hold a second, are made JPEG; `coding.encoder` says so.
    """

    is_list = False
    is_timed = True

    def __init__(self, camera: Camera, device: Device) -> None:
        """Open, choose a format and begin to film. Raises SourceError."""
        self.damaged = 0
        self._camera = camera
        self._stopping = device.stopping
        self._press: JpegPress | None = None
        self._resources = ExitStack()
        try:
            self._device = os.open(device.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._resources.callback(os.close, self._device)
            self._start(_chosen(camera, self._device))
        except OSError as error:
            self.close()
            raise of_device(camera, error) from None
        except BaseException:
            self.close()
            raise

    @property
    def coding(self) -> Coding:
        """What a decoder needs for the packet that came last."""
        return self._sizes.coding

    def packets(self) -> Iterator[Sent]:
        """Every packet, until told to stop; what lost something on its way is left out and counted in `damaged`.

        Raises SourceError when the camera is pulled out or sends nothing for too long.
        """
        ready = select.poll()
        ready.register(self._device, select.POLLIN)
        heard_s = time.monotonic()
        while not self._stopping.is_set():
            packet = self._next() if ready.poll(_SLICE_MS) else None
            if packet is not None:
                heard_s = time.monotonic()
                yield packet
            elif time.monotonic() - heard_s >= self._camera.silence_s:
                raise silent(self._camera, self._camera.silence_s)

    def close(self) -> None:
        """Give back the device. Closing twice is allowed."""
        self._resources.close()

    def _start(self, offer: Offer) -> None:
        picture = PictureFormat(type=CAPTURE, width=offer.width, height=offer.height, fourcc=offer.fourcc)
        ask(self._device, SET_FORMAT, picture)
        if picture.fourcc != offer.fourcc:
            raise without_pictures(self._camera)
        parameters = StreamParameters(type=CAPTURE)
        rate = offer.rate(self._camera.wish.rate_per_s)
        if rate:
            parameters.numerator, parameters.denominator = rate.denominator, rate.numerator
        try:
            ask(self._device, SET_PARAMETERS, parameters)
        except OSError as error:
            if error.errno not in (errno.ENOTTY, errno.EINVAL):  # it has one rate, and says nothing of it
                raise
        if parameters.numerator and parameters.denominator:
            rate = Fraction(parameters.denominator, parameters.numerator)
        if offer.kind.pixels:
            self._press = JpegPress(picture.width, picture.height, offer.kind.pixels, picture.line_bytes)
        self._follow(Coding(offer.kind.codec, picture.width, picture.height, _TIME_BASE, rate=rate))
        self._buffers = self._mapped()
        ask(self._device, START, c_int(CAPTURE))

    def _follow(self, coding: Coding) -> None:
        if self._press:
            coding = replace(coding, codec="mjpeg", encoder=self._press.name)
        self._sizes = SizeWatch(coding, template(coding.codec), self._camera)

    def _mapped(self) -> Sequence[mmap.mmap]:
        request = BufferRequest(count=_BUFFERS, type=CAPTURE, memory=MAPPED)
        ask(self._device, REQUEST_BUFFERS, request)
        buffers = []
        for index in range(request.count):
            buffer = Buffer(index=index, type=CAPTURE, memory=MAPPED)
            ask(self._device, QUERY_BUFFER, buffer)
            memory = mmap.mmap(self._device, buffer.length, prot=mmap.PROT_READ, offset=buffer.offset)
            buffers.append(self._resources.enter_context(memory))
            ask(self._device, PUT_BUFFER, buffer)
        return buffers

    def _next(self) -> "Sent | None":
        """The next packet; None where there is none yet, or nothing in it."""
        buffer = Buffer(type=CAPTURE, memory=MAPPED)
        try:
            ask(self._device, TAKE_BUFFER, buffer)
            data = self._buffers[buffer.index][: buffer.bytes_used]
            ask(self._device, PUT_BUFFER, buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise of_device(self._camera, error) from None
        try:
            data = self._press.press(data) if self._press and data else data
        except FFmpegError:
            data = b""
        if not data or buffer.flags & DAMAGED:
            self.damaged += 1
            return None
        taken = buffer.seconds * _TIME_BASE.denominator + buffer.microseconds
        return self._packet(data, taken or None)  # some drivers give no time: then that of arrival counts

    def _packet(self, data: bytes, taken: int | None) -> Sent:
        packet = cast("Sent", packet_of(data))
        packet.pts = packet.dts = taken
        packet.time_base = _TIME_BASE
        packet.is_keyframe = begins_anew(self.coding.codec, data)
        self._sizes.look(packet)
        return packet


def offered(url: str) -> str:
    """For a person: everything a video device offers; nothing where it does not say. Opens it, and films nothing."""
    try:
        device = os.open(device_path(url), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return told(read_offers(device))
    except OSError:
        return ""
    finally:
        os.close(device)


def _chosen(camera: Camera, device: int) -> Offer:
    """What the camera's wish comes to. Raises OSError, NotAVideo, SourceMissing."""
    abilities = Capability()
    ask(device, QUERY_ABILITIES, abilities)
    able = Ability(abilities.node if abilities.device & Ability.OF_NODE else abilities.device)
    if not (Ability.CAPTURE in able and Ability.STREAMING in able):
        raise without_pictures(camera)
    offers = read_offers(device)
    if not offers:
        raise without_pictures(camera)
    chosen = choose(offers, camera.wish)
    if chosen is None:
        raise not_offered(camera, told(offers))
    return chosen
