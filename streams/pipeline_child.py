"""A GStreamer pipeline in a process of its own, so that what a driver or a plugin breaks is not the box.

    python pipeline_child.py FD

The pipeline's text is read from standard input up to a zero byte: no argument and no variable of this process ever
holds it, for both can be read by others and the text may hold a password. Its video leaves through the file descriptor
as Matroska. The process ends with its pipeline, or when standard input is closed: it never outlives who started it,
not even one that was killed. What went wrong is the last line of standard error.
"""

import ctypes
import os
import re
import sys
import threading

LIBRARY = "libgstreamer-1.0.so.0"

_NEVER = ctypes.c_uint64(2**64 - 1)
_PLAYING = 4
_END = 1 << 0
_ERROR = 1 << 1


_PACKAGES = (
    ("video(testsrc|convert|scale|rate)|(uri)?decodebin3?|appsrc|tcpclientsrc", "gstreamer1.0-plugins-base"),
    ("(rtp|rtsp|udp|v4l2|multipart|matroska|vp[89]).+|jpeg(dec|enc)|souphttpsrc|qtdemux", "gstreamer1.0-plugins-good"),
    ("(h26[45]|av1|jpeg|mpeg).*parse|(va|srt|rtmp|openh264).+|x265enc|(hls|ts)demux", "gstreamer1.0-plugins-bad"),
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("av(dec|enc)_.+", "gstreamer1.0-libav"),
    ("libcamerasrc", "gstreamer1.0-libcamera"),
    ("nv.+", "nvidia-l4t-gstreamer, on a Jetson"),
)
"""Elements that cameras are read with, as regular expressions, and the Debian package each comes in."""


class _Error(ctypes.Structure):
    """GLib's `GError`."""

    _fields_ = (("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p))


def play(text: str, descriptor: int) -> str:
    """Play to the end; returns what went wrong, or nothing."""
    try:
        gst = ctypes.CDLL(LIBRARY)
    except OSError:
        return "GStreamer is not installed (libgstreamer1.0-0, gstreamer1.0-plugins-base and -good)"
    for function in (
        "gst_parse_launch",
        "gst_element_get_bus",
        "gst_bus_timed_pop_filtered",
        "gst_message_get_structure",
    ):
        getattr(gst, function).restype = ctypes.c_void_p
    gst.gst_init(None, None)
    error = ctypes.POINTER(_Error)()
    whole = f"{text} ! matroskamux streamable=true ! fdsink sync=false fd={descriptor}"
    pipeline = ctypes.c_void_p(gst.gst_parse_launch(whole.encode(), ctypes.byref(error)))
    if error or not pipeline:
        return _message(error)
    bus = ctypes.c_void_p(gst.gst_element_get_bus(pipeline))
    gst.gst_element_set_state(pipeline, _PLAYING)
    news = ctypes.c_void_p(gst.gst_bus_timed_pop_filtered(bus, _NEVER, _END | _ERROR))
    if not gst.gst_message_get_structure(news):  # the end of the stream says nothing more
        return ""
    gst.gst_message_parse_error(news, ctypes.byref(error), None)
    return _message(error)


def _message(error: "ctypes._Pointer[_Error]") -> str:
    text: bytes = error.contents.message if error else b"it cannot be built"
    said = " ".join(text.decode(errors="replace").split())
    missing = re.search('no element "(.+)"', said)
    package = package_of(missing[1]) if missing else ""
    return f"{said}; install {package}" if package else said


def package_of(element: str) -> str:
    """The Debian package an element comes in; nothing where that is not known."""
    return next((package for names, package in _PACKAGES if re.fullmatch(names, element)), "")


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _read_text() -> str:
    text = b""
    while not text.endswith(b"\0"):
        piece = os.read(0, 1)
        if not piece:
            os._exit(0)
        text += piece
    return text[:-1].decode()


def main() -> None:
    """Run, and leave with what went wrong on standard error."""
    text = _read_text()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    problem = play(text, int(sys.argv[1]))
    if problem:
        sys.stderr.write(f"\n{problem}\n")
        sys.stderr.flush()
    # No clean-up: a driver that hangs must not keep this process.
    os._exit(1 if problem else 0)


if __name__ == "__main__":
    main()
