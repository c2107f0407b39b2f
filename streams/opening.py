"""How each kind of source is opened: what FFmpeg is told, and what it may not do."""

import threading
from dataclasses import replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from urllib.parse import urlsplit

from streams.addresses import LIVE_SCHEMES, device_path, is_device, is_web, scheme
from streams.demuxer import Opening
from streams.device import Device
from streams.errors import BrokenOff, NotAVideo, SourceError, SourceMissing
from streams.failures import not_a_video, place, web_page
from streams.frames import Camera
from streams.pipelines import PipelineReader
from streams.webpages import is_web_page

TIMEOUT_S = 5.0
"""How long a camera may take to answer."""

LIST_SILENCE_S = 30.0
"""Between the segments of a list there is nothing: they are of up to ten seconds, and one may be late."""

# Slow cameras send pictures of a few kilobytes, a few a second: no more of them are waited for than needed.
_PICTURES = {"probesize": "65536", "format_probesize": "65536", "fpsprobesize": "0"}

# Only the pictures: sound is not ours to hear. The description says what the stream is; half a second of looking is
# enough to find its rate.
_RTSP = {"allowed_media_types": "video", "analyzeduration": "500000"}

# A list of segments may name any address: nothing but web servers is asked, and no file of this box is read.
_WEB = {"protocol_whitelist": "http,https,tcp,tls,crypto", "analyzeduration": "1000000"}

_PIPELINE = {"analyzeduration": "500000", "probesize": "1000000"}

# A file may name other files and addresses inside: nothing but local files is opened.
_FILE = {"protocol_whitelist": "file"}


def live_opening(camera: Camera, stopping: threading.Event) -> Opening:
    """How a camera's pipeline or live address is opened. Raises SourceError.

    A pipeline starts at once; it and a video device end when `stopping` is set.
    """
    proof = _proof(camera)
    if camera.pipeline:
        reader = PipelineReader(camera, stopping)
        return Opening(
            camera,
            reader,
            _PIPELINE,
            format="matroska",
            explain=lambda error: reader.problem() or error,
            close=reader.close,
        )
    if is_device(camera.url):
        return Opening(camera, Device(device_path(camera.url), stopping), {})
    if is_web(camera.url):
        listed = Opening(
            camera,
            camera.url,
            _WEB,
            open_s=TIMEOUT_S,
            silence_s=max(camera.silence_s, LIST_SILENCE_S),
            is_web=True,
            explain=lambda error: _of_page(camera, error),
        )
        if urlsplit(camera.url).path.lower().endswith(".m3u8"):
            return listed
        return replace(listed, options=_WEB | _PICTURES, silence_s=camera.silence_s, as_list=listed)
    options = _RTSP | {"rtsp_transport": str(camera.transport)} | proof
    return Opening(camera, camera.url, options, open_s=TIMEOUT_S, silence_s=camera.silence_s)


def _proof(camera: Camera) -> dict[str, str]:
    """What makes FFmpeg check who answers. Raises SourceMissing where that was asked for and cannot be done.

    Only for `rtsps`: FFmpeg does not hand the check on to the segments of an HLS list.
    """
    if not camera.certificate:
        return {}
    if scheme(camera.url) != "rtsps":
        raise SourceMissing(
            f"{place(camera)}: a certificate is checked for rtsps:// only; leave it out or use rtsps://"
        )
    path = Path(camera.certificate).expanduser().absolute()
    try:
        path.open("rb").close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceMissing(f"{place(camera)}: its certificate {path} cannot be read ({reason})") from None
    return {"tls_verify": "1", "ca_file": str(path)}


def _of_page(camera: Camera, error: SourceError) -> SourceError:
    """A page of unknown length, as small web servers send it, only seems to break off."""
    is_doubtful = isinstance(error, (NotAVideo, BrokenOff))
    return web_page(camera) if is_doubtful and is_web_page(camera.url, TIMEOUT_S) else error


def file_openings(camera: Camera) -> list[Opening]:
    """How each of a camera's files is opened, in the order in which they are played. Raises SourceError."""
    return [Opening(replace(camera, url=str(path)), f"file:{path}", _FILE) for path in files(camera)]


def files(camera: Camera) -> list[Path]:
    """The camera's file, or its folder's in the order of their names. Raises SourceMissing or NotAVideo."""
    named = scheme(camera.url)
    if named is not None:
        known = ", ".join(sorted(LIVE_SCHEMES))
        raise SourceMissing(
            f"camera {camera.id}: {named}:// addresses cannot be played; give a path of a file or one of {known}"
        )
    if not camera.url:
        raise SourceMissing(f"camera {camera.id}: no address; give a path of a file or an rtsp:// address")
    path = Path(camera.url).expanduser().absolute()
    try:
        mode = path.stat().st_mode
        if S_ISDIR(mode):
            found = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
            if not found:
                raise not_a_video(camera)
            return found
        if not S_ISREG(mode):  # first, since opening a pipe would wait for its writer
            raise not_a_video(camera)
        path.open("rb").close()
    except FileNotFoundError:
        problem = "no such file; check the path"
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or str(error)).lower()})"
    else:
        return [path]
    raise SourceMissing(f"camera {camera.id}: {camera.url}: {problem}")
