"""The kernel's interface to video devices, Video for Linux 2, as far as a camera is filmed with it.

Layouts and numbers are those of `linux/videodev2.h` on 64-bit machines.
"""

import ctypes
import fcntl
from ctypes import c_char, c_int, c_long, c_uint8, c_uint32, c_ulong
from enum import IntFlag

CAPTURE = 1
"""`V4L2_BUF_TYPE_VIDEO_CAPTURE`."""

MAPPED = 1
"""`V4L2_MEMORY_MMAP`."""

DISCRETE = 1
"""Of sizes and intervals: named one by one; else a range."""

DAMAGED = 0x40
"""`V4L2_BUF_FLAG_ERROR`: what the buffer holds lost something on its way."""


class Ability(IntFlag):
    """What a node can do: `V4L2_CAP_…`."""

    CAPTURE = 0x1
    STREAMING = 0x0400_0000
    OF_NODE = 0x8000_0000


class Capability(ctypes.Structure):
    """`struct v4l2_capability`."""

    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus", c_char * 32),
        ("version", c_uint32),
        ("device", c_uint32),
        ("node", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    """`struct v4l2_fmtdesc`."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("fourcc", c_uint32),
        ("bus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FrameSize(ctypes.Structure):
    """`struct v4l2_frmsizeenum`: width and height, or least, greatest and step of both."""

    _fields_ = (
        ("index", c_uint32),
        ("fourcc", c_uint32),
        ("type", c_uint32),
        ("values", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class FrameInterval(ctypes.Structure):
    """`struct v4l2_frmivalenum`: a fraction of a second, or the least, the greatest and the step."""

    _fields_ = (
        ("index", c_uint32),
        ("fourcc", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("values", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class PictureFormat(ctypes.Structure):
    """`struct v4l2_format` with a `v4l2_pix_format` inside."""

    _fields_ = (
        ("type", c_uint32),
        ("padding", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("fourcc", c_uint32),
        ("field", c_uint32),
        ("line_bytes", c_uint32),
        ("picture_bytes", c_uint32),
        ("rest", c_uint8 * 176),
    )


class StreamParameters(ctypes.Structure):
    """`struct v4l2_streamparm` with a `v4l2_captureparm` inside."""

    _fields_ = (
        ("type", c_uint32),
        ("capability", c_uint32),
        ("mode", c_uint32),
        ("numerator", c_uint32),
        ("denominator", c_uint32),
        ("rest", c_uint8 * 184),
    )


class BufferRequest(ctypes.Structure):
    """`struct v4l2_requestbuffers`."""

    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint32),
    )


class Buffer(ctypes.Structure):
    """`struct v4l2_buffer`."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytes_used", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("seconds", c_long),
        ("microseconds", c_long),
        ("time_code", c_uint8 * 16),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("offset", c_ulong),
        ("length", c_uint32),
        ("reserved", c_uint32),
        ("request", c_int),
    )


_WRITE, _READ, _BOTH = 1, 2, 3


def _number(direction: int, number: int, length: int) -> int:
    """As `_IOC` of `asm-generic/ioctl.h` makes it."""
    return direction << 30 | length << 16 | ord("V") << 8 | number


QUERY_ABILITIES = _number(_READ, 0, ctypes.sizeof(Capability))
LIST_FORMATS = _number(_BOTH, 2, ctypes.sizeof(FormatDescription))
LIST_SIZES = _number(_BOTH, 74, ctypes.sizeof(FrameSize))
LIST_INTERVALS = _number(_BOTH, 75, ctypes.sizeof(FrameInterval))
SET_FORMAT = _number(_BOTH, 5, ctypes.sizeof(PictureFormat))
SET_PARAMETERS = _number(_BOTH, 22, ctypes.sizeof(StreamParameters))
REQUEST_BUFFERS = _number(_BOTH, 8, ctypes.sizeof(BufferRequest))
QUERY_BUFFER = _number(_BOTH, 9, ctypes.sizeof(Buffer))
PUT_BUFFER = _number(_BOTH, 15, ctypes.sizeof(Buffer))
TAKE_BUFFER = _number(_BOTH, 17, ctypes.sizeof(Buffer))
START = _number(_WRITE, 18, ctypes.sizeof(c_int))


def ask(device: int, request: int, argument: ctypes.Structure | c_int) -> None:
    """Have the driver read and fill `argument`. Raises OSError."""
    fcntl.ioctl(device, request, argument)
