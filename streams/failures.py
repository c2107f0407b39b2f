"""FFmpeg's failures as this package's errors: one line, what, where and what to do, without the secrets."""

import errno
from pathlib import Path

from av.error import EOFError as EndOfFileError
from av.error import (
    ExitError,
    FFmpegError,
    HTTPClientError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPServerError,
    HTTPUnauthorizedError,
    InvalidDataError,
)
from av.error import PermissionError as RefusedInsideError  # a list that names files or addresses it may not open

from streams.addresses import device_path, is_live, is_web, redacted, redacted_text
from streams.errors import (
    AccessDenied,
    BrokenOff,
    NotAVideo,
    PictureTooLarge,
    SourceError,
    SourceMissing,
    SourceUnreachable,
)
from streams.frames import Camera
from streams.packets import Coding


def place(camera: Camera) -> str:
    """Camera and source, as every message begins."""
    return f"camera {camera.id}: {'its pipeline' if camera.pipeline else redacted(camera.url)}"


def not_a_video(camera: Camera) -> NotAVideo:
    """The error for a file or stream without moving pictures."""
    if camera.pipeline:
        return NotAVideo(f"{place(camera)} gives no video; its last element must give encoded or raw pictures")
    if is_live(camera.url):
        return NotAVideo(f"{place(camera)} is not a video; look up the address of the camera's stream")
    return NotAVideo(f"{place(camera)} is not a video; give a video file or an rtsp:// address")


def _without_index(camera: Camera) -> NotAVideo:
    """The error for an MP4 file whose index, which is written last, is missing."""
    return NotAVideo(
        f"{place(camera)} has no index (moov): it was cut off while it was written or copied; copy it again, or "
        "record as MKV or fragmented MP4, which need none"
    )


def keyless(camera: Camera) -> NotAVideo:
    """The error for a file of nothing but what lies between two key frames."""
    return NotAVideo(f"{place(camera)} has no key frame, so none of its pictures can be decoded; cut it at key frames")


def undecodable(camera: Camera) -> NotAVideo:
    """The error for a file whose every picture is damaged."""
    return NotAVideo(f"{place(camera)} is damaged: none of its pictures can be decoded; copy or record it again")


def single_picture(camera: Camera) -> NotAVideo:
    """The error for an address under which a camera shows what it sees right now."""
    return NotAVideo(f"{place(camera)} is a single picture, not a video; look up the address of the camera's stream")


def web_page(camera: Camera) -> NotAVideo:
    """The error for an address under which a web server has a page for people."""
    return NotAVideo(
        f"{place(camera)} is a web page, not a video; look up the address of the camera's stream, often rtsp://…"
    )


def silent(camera: Camera, silence_s: float) -> SourceUnreachable:
    """The error for a source that is open and sends nothing."""
    return SourceUnreachable(
        f"{place(camera)} sent nothing for {silence_s:g} s; it is connected again "
        "(a camera of few pictures needs a larger silence_s)"
    )


def without_pictures(camera: Camera) -> NotAVideo:
    """The error for a node of a device that is not the one of its pictures, or whose pictures nothing here decodes."""
    return NotAVideo(
        f"{place(camera)} gives no pictures that can be read here; cameras have several nodes: try the others of "
        "/dev/v4l/by-id, index0 first"
    )


def not_offered(camera: Camera, offers: str) -> SourceMissing:
    """The error for a video device that cannot send what it is asked for."""
    wish = camera.wish
    size = f"{wish.size_px[0]}x{wish.size_px[1]}" if wish.size_px else ""
    asked = " ".join(each for each in (wish.encoding or "", size) if each)
    return SourceMissing(f"{place(camera)} does not send {asked}; it offers {offers}")


def of_device(camera: Camera, error: OSError) -> SourceUnreachable:
    """What the kernel says of a video device."""
    path = device_path(camera.url)
    told = {
        errno.ENOENT: "there is no such device; plug the camera in. Which are there: ls -l /dev/v4l/by-id",
        errno.EACCES: "this user may not open it; add it to the group video: usermod -aG video USER",
        errno.EPERM: "this user may not open it; add it to the group video: usermod -aG video USER",
        errno.EBUSY: f"another program has it; which: fuser -v {path}",
        errno.ENODEV: "was pulled out, or lost its power; check plug, cable and hub",
        errno.ENXIO: "was pulled out, or lost its power; check plug, cable and hub",
        errno.ENOSPC: "the USB bus is full; choose a smaller size or rate, or plug it into another port",
        errno.ENOTTY: "is no video device; which are there: ls -l /dev/v4l/by-id",
    }
    reason = (error.strerror or str(error)).lower()
    return SourceUnreachable(
        f"{place(camera)}: {told.get(error.errno or 0, f'cannot be filmed ({reason}); check plug, cable and hub')}"
    )


def too_large(camera: Camera, coding: Coding) -> PictureTooLarge:
    """The error for pictures above the camera's limit."""
    return PictureTooLarge(
        f"{place(camera)} sends pictures of {coding.width}x{coding.height}, more than the limit of "
        f"{camera.max_pixels} pixels; use the camera's sub stream, or raise max_pixels"
    )


def unforeseen(camera: Camera, error: Exception) -> SourceError:
    """Whatever else went wrong while a camera was played."""
    return SourceError(
        f"{place(camera)} failed ({type(error).__name__}: {redacted_text(str(error))}); it is tried again"
    )


def translated(camera: Camera, error: FFmpegError) -> SourceError:
    """FFmpeg's error as ours."""
    where = place(camera)
    reason = (error.strerror or type(error).__name__).lower()
    if is_live(camera.url):
        return _of_camera(camera, reason, error)
    if isinstance(error, RefusedInsideError) or not isinstance(error, OSError):
        return _without_index(camera) if _is_mp4(camera.url) else not_a_video(camera)
    return SourceMissing(f"{where} cannot be read ({reason}); the file is damaged, or its disk: copy it again")


def _of_camera(camera: Camera, reason: str, error: FFmpegError) -> SourceError:
    if isinstance(error, InvalidDataError) and is_web(camera.url):
        return not_a_video(camera)
    kind: type[SourceError] = SourceUnreachable
    match error:
        case HTTPUnauthorizedError() | HTTPForbiddenError():
            kind, told = AccessDenied, "refused the user name or password; correct them in the camera's address"
        case HTTPNotFoundError():
            kind, told = SourceMissing, "does not exist on the camera; check the path after the address"
        case HTTPClientError() | HTTPServerError():
            told = f"answers that it cannot ({reason}); it may have too many viewers already, or still be starting"
        case OSError(errno=errno.EPROTONOSUPPORT) if not is_web(camera.url):
            told = f"does not send over {camera.transport}; set its transport to the other one"
        case OSError(errno=errno.EIO) if camera.certificate:
            told = (
                f"did not prove itself by {camera.certificate}, or broke off; the file must hold the camera's "
                "certificate or its signer's, and the camera's must name the host of its address"
            )
        case EndOfFileError() | OSError(errno=errno.EIO):
            kind, told = BrokenOff, "broke off, or there is no such host; check cable, address and port"
        case InvalidDataError() | ExitError():  # what a time-out while opening ends in
            told = f"does not answer as {_a_camera(camera)}; check cable, address and port"
        case _:
            told = f"cannot be reached ({reason}); check cable, address and port"
    return kind(f"{place(camera)} {told}")


def _a_camera(camera: Camera) -> str:
    return "a video server" if is_web(camera.url) else "an RTSP camera"


def _is_mp4(path: str) -> bool:
    """Whether a file begins as MP4 and QuickTime files do: ISO/IEC 14496-12, 4.3."""
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(8)[4:] == b"ftyp"
    except OSError:
        return False
