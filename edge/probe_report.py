"""What a probe found, judged: in plain words what is wrong with a camera's stream, and what to set."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from edge.probe import Measured
from edge.remedies import what_and_remedy
from edge.rhythm import Rhythm
from streams.addresses import is_device, is_live, redacted
from streams.frames import Camera, Transport
from streams.packets import Coding

LONGEST_KEY_DISTANCE_S = 2.0
KEY_SLACK = 1.1
"""A camera that means 2 s may take a frame or two longer."""

FASTEST_PER_S, FAST_PER_S, SLOWEST_PER_S = 120.0, 61.0, 1.0
TOLERABLE_SHARE = 0.01
FIRST_UNSTAMPED = 1
"""FFmpeg gives the first packet over RTSP no time stamp, whatever the camera."""

LARGEST_WIDTH = 1920
SLOW_PICTURE_S = 5.0
CLOCK_S = 5.0
PACE_SHARE = 0.05
RATE_SHARE = 0.2
PLAYABLE_PIXELS = frozenset({"", "yuv420p", "yuvj420p", "nv12"})
NAMES = {"h264": "H.264", "hevc": "H.265", "mjpeg": "MJPEG", "av1": "AV1", "mpeg4": "MPEG-4"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a stream that is `wrong`, or else works and could be better; and what to do."""

    wrong: bool
    what: str
    advice: str


def judge(camera: Camera, measured: Measured) -> list[Finding]:
    """Everything worth saying, what is wrong first."""
    found = [*_about_playing(camera, measured), *_about_keys(measured.rhythm), *_about_times(camera, measured)]
    found += [
        *_about_losses(camera, measured),
        *_about_sizes(measured),
        *_about_coding(camera, measured),
        *_about_clock(measured),
    ]
    return sorted(found, key=lambda each: not each.wrong)


def print_report(camera: Camera, measured: Measured, findings: list[Finding], console: Console) -> None:
    """For a person."""
    console.print(f"[bold]{escape(redacted(camera.url))}[/]", highlight=False, soft_wrap=True)
    for name, value in _lines(camera, measured):
        console.print(f"  {name:<14}{escape(value)}", highlight=False, soft_wrap=True)
    for each in findings:
        mark = "[red]✗[/]" if each.wrong else "[yellow]![/]"
        console.print(f"{mark} {escape(each.what)}", highlight=False, soft_wrap=True)
        console.print(f"  [bold]→ {escape(each.advice)}[/]", highlight=False, soft_wrap=True)
    if not any(each.wrong for each in findings):
        said = "Nothing is wrong" + (", but look at what is marked with !" if findings else "")
        console.print(f"[green]{said}.[/]")


def report_json(camera: Camera, measured: Measured, findings: list[Finding]) -> str:
    """For a program: one JSON object; null is what is not known."""
    rhythm, coding = asdict(measured.rhythm), measured.coding
    distances_s = rhythm.pop("key_distances_s")
    said: dict[str, Any] = {
        "source": redacted(camera.url),
        "codec": coding.codec if coding else None,
        "profile": measured.profile or None,
        "width": coding.width if coding else None,
        "height": coding.height if coding else None,
        "sizes": measured.sizes,
        "pixels": measured.pixels or None,
        "stated_rate_per_s": float(coding.rate) if coding and coding.rate else None,
        "longest_key_distance_s": max(distances_s, default=None),
        **rhythm,
        **{
            name: getattr(measured, name)
            for name in (
                "has_b_frames",
                "damaged",
                "lost",
                "undecoded",
                "picture_after_s",
                "clock_ahead_s",
                "offers",
                "failure",
            )
        },
        "findings": [asdict(each) for each in findings],
        "fine": not any(each.wrong for each in findings),
    }
    return json.dumps(said, ensure_ascii=False) + "\n"


def _about_playing(camera: Camera, measured: Measured) -> Iterator[Finding]:
    if measured.failure:
        yield Finding(True, *what_and_remedy(camera.url, measured.failure, camera.id))
    if not measured.failure and not measured.rhythm.packets:
        yield Finding(True, "no picture came", "look at the camera's own page: its encoder may be off")
    if measured.rhythm.packets and measured.picture_after_s is None and measured.rhythm.keys:
        yield Finding(True, "no picture could be decoded", "set the camera to H.264, profile Main or High, 8 bits")
    if measured.picture_after_s is not None and measured.picture_after_s > SLOW_PICTURE_S:
        what = f"the first picture came only after {measured.picture_after_s:.1f} s"
        yield Finding(False, what, "a shorter key-frame interval, and fewer other viewers, make it faster")


def _about_keys(rhythm: Rhythm) -> Iterator[Finding]:
    longest_s = max((*rhythm.key_distances_s, rhythm.keyless_s))
    advice = (
        f"set the key-frame interval (I-frame, GOP) to {LONGEST_KEY_DISTANCE_S:g} s or less, "
        f"for example {_frames(rhythm)}"
    )
    if rhythm.packets and not rhythm.keys:
        yield Finding(True, f"no key frame in {rhythm.seconds:.1f} s: nothing can be decoded without one", advice)
    elif rhythm.keys < rhythm.packets and longest_s > LONGEST_KEY_DISTANCE_S * KEY_SLACK:
        is_open = rhythm.keyless_s == longest_s
        how = f"more than {longest_s:.1f} s" if is_open else f"up to {longest_s:.1f} s"
        why = "after a break nothing is seen until the next, and clips begin earlier than asked"
        yield Finding(True, f"key frames are {how} apart: {why}", advice)


def _frames(rhythm: Rhythm) -> str:
    rate_per_s = rhythm.rate_per_s or 25.0
    return f"{max(1, round(rate_per_s * LONGEST_KEY_DISTANCE_S))} frames at {rate_per_s:.0f} a second"


def _about_times(camera: Camera, measured: Measured) -> Iterator[Finding]:
    rhythm = measured.rhythm
    rate_per_s = rhythm.rate_per_s
    if rhythm.packets == 1 and not measured.failure:
        yield Finding(True, "only one picture came: what passes is not seen", "set the camera to 10 to 25 a second")
    if rate_per_s and rate_per_s > FAST_PER_S:
        what = f"{rate_per_s:.0f} pictures a second cost this box and show no more"
        yield Finding(rate_per_s > FASTEST_PER_S, what, "set the camera to 25 a second or fewer")
    if rate_per_s and rate_per_s < SLOWEST_PER_S:
        what = f"only {rate_per_s:.2g} pictures a second: what passes in between is not seen"
        yield Finding(True, what, "set the camera to 10 to 25 a second")
    stated = measured.coding.rate if measured.coding else None
    if rate_per_s and stated and abs(rate_per_s / float(stated) - 1) > RATE_SHARE:
        what = f"the stream states {float(stated):g} pictures a second and sends {rate_per_s:.1f}"
        yield Finding(False, what, "in the dark many cameras slow down: limit the exposure time, or add light")
    if not is_live(camera.url):
        return
    odd = _oddities(rhythm)
    if odd:
        advice = "stream time follows this machine's clock there; update the camera's firmware"
        yield Finding(True, f"the time stamps {', '.join(odd)}", advice)
    if rhythm.pace is not None and abs(rhythm.pace - 1) > PACE_SHARE + rhythm.pace_error:
        what = f"the time stamps run at {rhythm.pace:.0%} of real time"
        yield Finding(
            True, what, "the camera's encoder or network is overloaded: choose a smaller size or a lower rate"
        )


def _oddities(rhythm: Rhythm) -> list[str]:
    tolerable = max(FIRST_UNSTAMPED, TOLERABLE_SHARE * rhythm.packets)
    unstamped = rhythm.unstamped if rhythm.unstamped > tolerable else 0
    said = ((unstamped, "are missing"), (rhythm.backwards, "run backwards"), (rhythm.jumps, "jump"))
    return [f"{what} ({number} of {rhythm.packets})" for number, what in said if number]


def _about_losses(camera: Camera, measured: Measured) -> Iterator[Finding]:
    rhythm = measured.rhythm
    if measured.damaged > TOLERABLE_SHARE * rhythm.packets:
        what = f"{measured.damaged} of {rhythm.packets} pictures are damaged"
        yield Finding(True, what, _against_losses(camera))
    if measured.lost:
        yield Finding(True, f"{measured.lost} network packets were lost", _against_losses(camera))
    elif rhythm.longest_pause_s or rhythm.gaps > TOLERABLE_SHARE * rhythm.packets:
        what = f"{rhythm.gaps} pictures are missing between {rhythm.packets} others" if rhythm.gaps else ""
        pause = f"for {rhythm.longest_pause_s:.1f} s no picture came" if rhythm.longest_pause_s else ""
        what = "; ".join(each for each in (pause, what) if each)
        yield Finding(True, what, _against_gaps(camera))
    if measured.undecoded:
        what = f"this machine was too slow to decode {measured.undecoded} of {rhythm.packets} pictures"
        yield Finding(False, what, "the gate decodes less; detect on the camera's sub stream all the same")


def _against_gaps(camera: Camera) -> str:
    if not is_live(camera.url):
        return "the recorder left them out, or the film was cut"
    return "the camera's encoder or its network is overloaded: choose a smaller size, rate or bit rate"


def _against_losses(camera: Camera) -> str:
    if camera.transport is Transport.UDP:
        return "use TCP, which repeats what is lost"
    return (
        "check cable, network and power of the camera" if is_live(camera.url) else "the file is damaged: copy it again"
    )


def _about_sizes(measured: Measured) -> Iterator[Finding]:
    if len(measured.sizes) > 1:
        sizes = ", then ".join(f"{width}x{height}" for width, height in measured.sizes)
        what = f"the pictures changed their size: {sizes}; a clip ends at each change"
        yield Finding(True, what, "set one size in the camera, and no mode that follows the network or the light")


def _about_coding(camera: Camera, measured: Measured) -> Iterator[Finding]:
    coding = measured.coding
    if coding is None:
        return
    if coding.width > LARGEST_WIDTH:
        what = f"{coding.width}x{coding.height} is more than a detector looks at, and dear to decode"
        yield Finding(False, what, "give the camera's sub stream as url, and this address as main_url, for evidence")
    if measured.has_b_frames:
        what = "B-frames make every picture later by as many frames as they are reordered"
        yield Finding(False, what, "switch them off in the camera: profile Baseline, or the B-frame number 0")
    if coding.codec in {"h264", "hevc"} and measured.pixels not in PLAYABLE_PIXELS:
        what = f"pictures of the kind {measured.pixels} play in few browsers"
        yield Finding(False, what, "set the camera to 8 bits, 4:2:0: profile Main or High")
    if coding.encoder:
        what = "the camera sends raw pictures: this box makes JPEG of each, which costs a little"
        yield Finding(False, what, "a camera that sends H.264 or JPEG itself costs less")
    elif is_device(camera.url) and coding.codec == "mjpeg":
        yield Finding(False, f"MJPEG makes {_megabytes(measured.rhythm)}", _smaller(coding))
    elif coding.codec == "mjpeg":
        yield Finding(False, "MJPEG needs ten times the network and disk of H.264", "set the camera to H.264")
    elif coding.codec == "hevc":
        what = "H.265 does not play in every browser: not everybody will see the clips"
        yield Finding(False, what, "set the stream that evidence is cut from to H.264")
    elif coding.codec != "h264":
        yield Finding(False, f"{_name(coding.codec)} plays in few browsers", "set the camera to H.264")


def _megabytes(rhythm: Rhythm) -> str:
    if rhythm.bits_per_s is None:
        return "large clips"
    return f"{rhythm.bits_per_s / 8e6:.1f} MB a second, in memory and in clips"


def _smaller(coding: Coding) -> str:
    return (
        f"if that is too much for the line: fewer pictures a second than {float(coding.rate or 0):g}, or a smaller size"
    )


def _about_clock(measured: Measured) -> Iterator[Finding]:
    ahead_s = measured.clock_ahead_s
    if ahead_s is not None and abs(ahead_s) > CLOCK_S:
        what = f"the camera's clock is {_ahead(ahead_s)}: the time in its pictures contradicts the alerts'"
        yield Finding(False, what, "let both take the time from the same time server (NTP), and look at the time zone")


def _lines(camera: Camera, measured: Measured) -> Iterator[tuple[str, str]]:
    coding, rhythm = measured.coding, measured.rhythm
    if coding:
        kind = " ".join(each for each in (_name(coding.codec), measured.profile) if each)
        pixels = f", {measured.pixels}" if measured.pixels else ""
        yield "codec", f"{kind}, {coding.width}x{coding.height}{pixels}"
        stated = f"{float(coding.rate):g}" if coding.rate else "nothing"
        yield "rate", f"{_number(rhythm.rate_per_s)} pictures a second (stated: {stated})"
        yield "key frames", _keys(rhythm)
        yield "bit rate", "unknown" if rhythm.bits_per_s is None else f"{rhythm.bits_per_s / 1e6:.2f} Mbit/s"
        yield "B-frames", {True: "yes", False: "no", None: "unknown"}[measured.has_b_frames]
        lost = f", {measured.lost} network packets lost" if camera.transport is Transport.UDP else ""
        yield "packets", f"{rhythm.packets}, {measured.damaged} damaged, {rhythm.gaps} missing{lost}"
        steady = "none: this machine's clock is taken" if rhythm.is_unstamped else "steady"
        yield "time stamps", ", ".join(_oddities(rhythm)) or steady
    if measured.offers:
        yield "offers", measured.offers
    if coding and is_live(camera.url) and not is_device(camera.url):
        ahead_s = measured.clock_ahead_s
        yield "clock", "unknown: the camera does not say" if ahead_s is None else _ahead(ahead_s)
    if measured.picture_after_s is not None:
        yield "first picture", f"after {measured.picture_after_s:.2f} s"
        yield "sound", "not listened to"


def _keys(rhythm: Rhythm) -> str:
    if not rhythm.keys:
        return "none"
    if not rhythm.key_distances_s:
        return f"one in {rhythm.seconds:.1f} s"
    mean_s = sum(rhythm.key_distances_s) / len(rhythm.key_distances_s)
    return f"every {mean_s:.2f} s, at most {max(rhythm.key_distances_s):.2f} s apart ({rhythm.keys} seen)"


def _ahead(ahead_s: float) -> str:
    if abs(ahead_s) < 1:
        return "as this machine's, to a second"
    return f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


def _name(codec: str) -> str:
    return NAMES.get(codec, codec)
