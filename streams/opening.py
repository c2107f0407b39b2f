"""How each kind of source is opened: what FFmpeg is told, and what it may not do."""

from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from urllib.parse import urlsplit

from streams.addresses import LIVE_SCHEMES, is_device, is_web, scheme
from streams.demuxer import Opening
from streams.errors import SourceMissing
from streams.failures import not_a_video
from streams.frames import Camera

TIMEOUT_S = 5.0
"""How long a camera may take to answer."""

# Only the pictures: sound is not ours to hear. The description says what the stream is; half a second of looking is
# enough to find its rate.
_RTSP = {"allowed_media_types": "video", "analyzeduration": "500000"}

# A list of segments may name any address: nothing but web servers is asked, and no file of this box is read.
_WEB = {"protocol_whitelist": "http,https,tcp,tls,crypto", "analyzeduration": "1000000", "probesize": "1000000"}

# A file may name other files and addresses inside: nothing but local files is opened.
_FILE = {"protocol_whitelist": "file"}


def live_opening(camera: Camera) -> Opening:
    """How a camera's live address is opened."""
    if is_device(camera.url):
        path = urlsplit(camera.url).path
        return Opening(path, {}, format="v4l2", open_s=TIMEOUT_S, silence_s=camera.silence_s)
    options = _WEB if is_web(camera.url) else _RTSP | {"rtsp_transport": str(camera.transport)}
    return Opening(camera.url, options, open_s=TIMEOUT_S, silence_s=camera.silence_s, lists_allowed=is_web(camera.url))


def file_openings(camera: Camera) -> Iterator[Opening]:
    """How each of a camera's files is opened, in the order in which they are played. Raises SourceError."""
    for path in files(camera):
        yield Opening(f"file:{path}", _FILE)


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
