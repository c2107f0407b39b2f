"""One opened source: its compressed pictures one after the other, its failures as this package's errors."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice

import av
from av.error import ExitError, FFmpegError, InvalidDataError
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.device import Device, DeviceDemuxer
from streams.errors import SourceError
from streams.failures import keyless, not_a_video, silent, single_picture, translated, undecodable
from streams.ffmpeg import Sent
from streams.frames import Camera
from streams.joining import Joiner
from streams.packets import Coding
from streams.pipelines import PipelineReader
from streams.sizes import SizeWatch

# Demuxers that make a "video" out of a text, a single picture or a list of other files.
_NO_VIDEO_FORMATS = ("tty", "image2", "concat", "dash")

_MOST_PIECES_OF_RUBBISH = 50
"""So many reads in a row may give nothing usable before the rest is given up."""

_PLAUSIBLE_RATES = (0.01, 120.0)


@dataclass(frozen=True, slots=True)
class Opening:
    """How FFmpeg opens a source: an address or something to read from, and its options.

    `format` is a demuxer's name where it is not to be guessed. `open_s` and `silence_s` bound the opening and the wait
    for each packet; None waits for ever. `is_web` lets a list of segments be played, and JPEG pictures one behind the
    other. `as_list` takes its place where it turns out to be a list of segments. `explain` may know better why
    something failed; `close` gives back what `where` holds.
    """

    camera: Camera
    where: str | PipelineReader | Device = field(repr=False)
    options: Mapping[str, str]
    format: str | None = None
    open_s: float | None = None
    silence_s: float | None = None
    is_web: bool = False
    as_list: "Opening | None" = None
    explain: Callable[[SourceError], SourceError] = lambda error: error
    close: Callable[[], None] = lambda: None


class Demuxer:
    """The packets of a source's first video stream. Not thread-safe: open, iterate and close in one thread."""

    def __init__(self, opening: Opening) -> None:
        """Open. Raises SourceError."""
        self.damaged = 0
        self._camera = camera = opening.camera
        self._opening = opening
        self._failure: FFmpegError | None = None
        try:
            self._container = av.open(
                opening.where,
                "r",
                format=opening.format,
                options=dict(opening.options),
                metadata_errors="replace",
                timeout=None if opening.open_s is None else (opening.open_s, opening.silence_s),
            )
        except FFmpegError as error:
            self._failure = error
        if self._failure:
            # Outside of the handler, since FFmpeg's own error names the address with its password.
            raise translated(camera, self._failure)
        try:
            self._stream = self._first_video()
            self._leave_out_the_rest()
            self._sizes = SizeWatch(_coding(self._stream), self._stream, camera)
        except BaseException:
            self.close()
            raise

    @property
    def coding(self) -> Coding:
        """What a decoder needs for the packet that came last."""
        return self._sizes.coding

    def turn(self, quarters: int) -> None:
        """Say how the pictures become upright."""
        self._sizes.coding = replace(self._sizes.coding, quarters=quarters)

    @property
    def is_list(self) -> bool:
        """Whether it comes in segments, each at once."""
        return "hls" in self._formats

    @property
    def is_timed(self) -> bool:
        """Whether a live source gives times: pictures one behind the other have none, and FFmpeg counts 25 a second."""
        return not self._is_pictures and "mpjpeg" not in self._formats

    @property
    def _is_pictures(self) -> bool:
        return "jpeg_pipe" in self._formats

    @property
    def _formats(self) -> list[str]:
        return str(self._container.format.name).split(",")

    def packets(self) -> Iterator[Sent]:
        """Every packet, to the end; what cannot be read is stepped over and counted in `damaged`.

        Raises SourceError when a live source breaks or sends nothing for too long. A file that was cut off ends there.
        """
        joiner = Joiner(self.coding)
        for packet in self._more_than_one() if self._is_pictures else self._read():
            for whole in joiner.join(packet):
                self._sizes.look(whole)
                yield whole
        yield from joiner.rest()
        if self._failure and self._was_silent():
            raise silent(self._camera, self._opening.silence_s or 0.0)
        if self._failure:
            raise translated(self._camera, self._failure)

    def _more_than_one(self) -> Iterator[Sent]:
        """The same, of at least two where the first was not simply the last one before something broke."""
        packets = self._read()
        first = list(islice(packets, 2))
        if len(first) == 1 and not self._failure:
            raise single_picture(self._camera)
        yield from first
        yield from packets

    def _was_silent(self) -> bool:
        """FFmpeg gives an interrupted wait many names; and with its own one a packet may come that was held back."""
        silence_s = self._opening.silence_s
        waited_s = time.monotonic() - self._heard_s
        return isinstance(self._failure, ExitError) or (silence_s is not None and waited_s >= silence_s)

    def _read(self) -> Iterator[Sent]:
        """Packets as FFmpeg cuts them, to the end or to a failure that is kept."""
        rubbish = 0
        self._heard_s = time.monotonic()
        while rubbish < _MOST_PIECES_OF_RUBBISH:
            try:
                for packet in self._container.demux(self._stream):
                    self._heard_s = time.monotonic()
                    if packet.size:
                        rubbish = 0
                        self.damaged += packet.is_corrupt
                        yield packet
            except InvalidDataError:
                rubbish += 1
                self.damaged += 1
                continue
            except FFmpegError as error:
                self._failure = error
            except IndexError:
                # At the end PyAV stumbles over streams that a damaged file announced only after its beginning.
                self.damaged += 1
            return

    def first_picture(self) -> VideoFrame:
        """The first picture that can be decoded, from the first key frame on. Raises NotAVideo if there is none."""
        self._stream.thread_count = 1
        failure = not_a_video
        for packet in chain(self.packets(), (None,)):
            if packet is not None:
                if packet.is_keyframe:
                    failure = undecodable
                elif failure is not undecodable:
                    failure = keyless
                    continue
            try:
                pictures = self._stream.decode(packet)
            except FFmpegError:
                continue
            if pictures:
                return pictures[0]
        raise failure(self._camera)

    def close(self) -> None:
        """Give back the file or connection. Closing twice is allowed."""
        self._container.close()

    def _first_video(self) -> VideoStream:
        videos = [stream for stream in self._container.streams.video if not _is_cover(stream)]
        unusable = any(name in _NO_VIDEO_FORMATS or name.endswith("_pipe") for name in self._formats)
        if self.is_list or self._is_pictures:
            unusable = not self._opening.is_web
        if unusable or not videos or videos[0].codec_context is None:
            raise not_a_video(self._camera)
        return videos[0]

    def _leave_out_the_rest(self) -> None:
        """Sound is not ours to hear; and where it goes on, silence of the pictures would not be noticed."""
        for stream in self._container.streams:
            if stream is not self._stream:
                stream.discard = Discard.all


def opened(opening: Opening) -> Demuxer | DeviceDemuxer:
    """A demuxer of a live source. Raises SourceError."""
    if isinstance(opening.where, Device):
        return DeviceDemuxer(opening.camera, opening.where)
    demuxer = Demuxer(opening)
    if opening.as_list is None or not demuxer.is_list:
        return demuxer
    demuxer.close()
    return Demuxer(opening.as_list)


def opened_file(opening: Opening) -> Demuxer:
    """A demuxer of a file. How its pictures become upright, only a decoded one shows, so one is decoded first.

    Raises SourceError, also where not one picture can be decoded.
    """
    with closing(Demuxer(opening)) as trial:
        picture = trial.first_picture()
    demuxer = Demuxer(opening)
    demuxer.turn(round(picture.rotation / 90) % 4)
    return demuxer


def _is_cover(stream: VideoStream) -> bool:
    """The picture on the cover of a piece of music is a video stream to FFmpeg."""
    return bool(stream.disposition & stream.disposition.attached_pic)


def _coding(stream: VideoStream) -> Coding:
    context = stream.codec_context
    codec = context.codec.canonical_name
    return Coding(
        codec=codec,
        width=context.width,
        height=context.height,
        time_base=stream.time_base or Fraction(1, 1000),
        extradata=context.extradata or b"",
        rate=_plausible(stream.average_rate) or _plausible(context.framerate) or _plausible(stream.guessed_rate),
        pixels=(context.pix_fmt or "") if codec == "rawvideo" else "",
    )


def _plausible(rate: Fraction | None) -> Fraction | None:
    slowest, fastest = _PLAUSIBLE_RATES
    return rate if rate and slowest <= rate <= fastest else None
