"""Cameras for tests and benches: a real RTSP server on 127.0.0.1, run by the system's own Python.

    /usr/bin/python3 -I rtsp_server.py PORT [USER PASSWORD] [options]

It needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-rtsp and
gstreamer1.0-plugins-{base,good,bad,ugly}, for TLS glib-networking too.

Serves rtsp://127.0.0.1:PORT/main and as many of /cam0, /cam1, … as asked, prints `ready` when it listens, and takes
commands on its standard input, one a line, each answered by `done`:

    stall [PATH]     nothing is sent any more (on that path), though connections stay
    go [PATH]        and again
    drop clients     every connection is closed
    size WxH         test pictures are of another size from now on
    quit
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gi  # type: ignore[import-not-found,unused-ignore]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found,unused-ignore] # noqa: E402 - versions must be chosen first
    Gio,
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

TESTED = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} option-string=scenecut=0",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} log-level=none option-string=scenecut=0",
}


@dataclass(frozen=True)
class Film:
    """The access units of a film in decoding order, held once for all paths and repeated for ever."""

    caps: Any
    units: list[tuple[bytes, int, int, int]]
    """Data, pts, dts and duration, in nanoseconds."""
    length_ns: int


@dataclass
class Mount:
    """One path of the server. Everybody who watches it watches the same pictures."""

    path: str
    is_stalled: bool = False
    sizes: list[Any] = field(default_factory=list)
    """The caps filters of running test pictures."""


def main() -> None:
    """Serve until told to quit, or killed."""
    options = _options()
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    film = read_film(options.film, options.codec) if options.film else None
    if options.user or options.tls:
        server.set_auth(_auth(options))
    mounts = [Mount(path) for path in ["/main", *(f"/cam{number}" for number in range(options.mounts))]]
    for mount in mounts:
        server.get_mount_points().add_factory(mount.path, _factory(mount, film, options))
    if not server.attach(None):
        sys.exit(f"port {options.port} is in use")
    loop = GLib.MainLoop()
    GLib.io_add_watch(
        GLib.IOChannel.unix_new(sys.stdin.fileno()),
        GLib.PRIORITY_DEFAULT,
        GLib.IOCondition.IN | GLib.IOCondition.HUP,
        lambda *_: _obey(sys.stdin.readline(), server, mounts, loop),
    )
    _say("ready")
    loop.run()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Cameras for tests and benches.")
    parser.add_argument("port", type=int)
    parser.add_argument("user", nargs="?")
    parser.add_argument("password", nargs="?")
    parser.add_argument("--codec", choices=sorted(TESTED), default="h264")
    parser.add_argument("--mounts", type=int, default=0, help="how many of /cam0, /cam1, … beside /main")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--rate", type=int, default=15)
    parser.add_argument("--gop", type=int, default=5, help="pictures from one key frame to the next")
    parser.add_argument("--film", help="an MP4 of that codec, repeated, instead of test pictures")
    parser.add_argument("--digest", action="store_true", help="ask for the password by digest, not in the clear")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="rtsps, with these PEM files")
    parser.add_argument("--loss", type=float, default=0.0, help="share of RTP packets that never leave, 0..1")
    return parser.parse_args()


def read_film(path: str, codec: str) -> Film:
    """Every access unit of the first picture track."""
    pipeline = Gst.parse_launch(
        f"filesrc name=file ! qtdemux ! {codec}parse ! appsink name=sink sync=false max-buffers=0"
    )
    pipeline.get_by_name("file").set_property("location", path)
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    units, caps = [], None
    while (sample := sink.emit("pull-sample")) is not None:
        caps, buffer = caps or sample.get_caps(), sample.get_buffer()
        units.append((buffer.extract_dup(0, buffer.get_size()), buffer.pts, buffer.dts, buffer.duration))
    pipeline.set_state(Gst.State.NULL)
    if not units:
        sys.exit(f"{path}: no {codec} pictures")
    return Film(caps, units, sum(duration for *_, duration in units))


def _factory(mount: Mount, film: Film | None, options: argparse.Namespace) -> Any:  # noqa: ANN401 - a GObject
    number = {"h264": 264, "h265": 265}[options.codec]
    if film:
        source = "appsrc name=film format=time block=false"
    else:
        source = (
            f"videotestsrc is-live=true pattern=ball ! capsfilter name=size caps={_raw(options.size, options.rate)}"
            f" ! {TESTED[options.codec].format(gop=options.gop)}"
        )
    last = f"identity name=pay0 silent=true drop-probability={options.loss}" if options.loss else ""
    pay = f"rtph{number}pay pt=96 config-interval=-1 " + (f"! {last}" if last else "name=pay0")
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(f"( {source} ! h{number}parse ! identity name=valve silent=true ! {pay} )")
    factory.set_shared(True)
    factory.connect("media-configure", lambda _factory, media: _configure(media.get_element(), mount, film))
    if options.user or options.tls:
        permissions = GstRtspServer.RTSPPermissions.new()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
    return factory


def _raw(size: str, rate: int) -> str:
    width, _, height = size.partition("x")
    return f"video/x-raw,width={width},height={height},framerate={rate}/1"


def _configure(element: Any, mount: Mount, film: Film | None) -> None:  # noqa: ANN401 - a GObject
    """Take the pipeline of a path in hand, as soon as somebody wants it."""

    def guard(_pad: object, _info: object) -> Any:  # noqa: ANN401 - an enum of GStreamer
        return Gst.PadProbeReturn.DROP if mount.is_stalled else Gst.PadProbeReturn.OK

    valve = element.get_by_name("valve").get_static_pad("sink")
    valve.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, guard)
    if film:
        source = element.get_by_name("film")
        source.set_property("caps", film.caps)
        source.connect("need-data", _feeder(film))
    else:
        mount.sizes.append(element.get_by_name("size"))


def _feeder(film: Film) -> Callable[[Any, int], None]:
    """Gives one access unit at a time, from where the film is now: a camera's time goes on whoever watches."""
    begin_ns = time.monotonic_ns() % film.length_ns
    starts = [dts if dts != Gst.CLOCK_TIME_NONE else pts for _, pts, dts, _ in film.units]
    state = {"next": next((n for n, start in enumerate(starts) if start >= begin_ns), 0), "round": 0}
    zero_ns = starts[state["next"]]

    def feed(source: Any, _wanted: int) -> None:  # noqa: ANN401 - a GObject
        data, pts, dts, duration = film.units[state["next"]]
        shift = state["round"] * film.length_ns - zero_ns
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts, buffer.duration = pts + shift, duration
        buffer.dts = max(0, dts + shift) if dts != Gst.CLOCK_TIME_NONE else Gst.CLOCK_TIME_NONE
        source.emit("push-buffer", buffer)
        state["next"] += 1
        if state["next"] == len(film.units):
            state["next"], state["round"] = 0, state["round"] + 1

    return feed


def _auth(options: argparse.Namespace) -> Any:  # noqa: ANN401 - a GObject
    auth = GstRtspServer.RTSPAuth.new()
    if options.tls:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*options.tls))
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", "viewer")
    if not options.user:
        auth.set_default_token(token)
    elif options.digest:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    return auth


def _obey(line: str, server: Any, mounts: list[Mount], loop: Any) -> bool:  # noqa: ANN401 - GObjects
    """Carry one command out; whether to listen for more."""
    match line.split():
        case ["stall" | "go" as command, *paths]:
            for mount in mounts:
                if not paths or mount.path in paths:
                    mount.is_stalled = command == "stall"
        case ["drop", "clients"]:
            server.client_filter(lambda _server, _client: GstRtspServer.RTSPFilterResult.REMOVE)
        case ["size", size]:
            for element in [element for mount in mounts for element in mount.sizes]:
                rate = element.get_property("caps").get_structure(0).get_fraction("framerate")[1]
                element.set_property("caps", Gst.Caps.from_string(_raw(size, rate)))
        case ["quit"]:
            loop.quit()
        case []:
            return bool(line)  # nobody commands any more; cameras go on
        case _:
            _say(f"unknown command: {line.strip()}")
            return True
    _say("done")
    return True


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
