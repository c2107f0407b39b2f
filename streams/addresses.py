"""Addresses of cameras, and how to show one without the secrets it carries."""

import re

_RTSP = frozenset({"rtsp", "rtsps"})
_WEB = frozenset({"http", "https"})
_DEVICE = frozenset({"v4l2"})

LIVE_SCHEMES = _RTSP | _WEB | _DEVICE
"""What may stand in front of `://`; everything else is a path."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")
# Recorders join such values by "_", which may as well be a letter of the password: it ends where a known name follows.
_SECRET = re.compile(
    r"(?i)(user(?:name)?|pass(?:word|wd)?|pwd|auth|token|key)="
    r"(?:(?!_(?:user|pass|pwd|auth|token|key|channel|stream)\w*=)[^&;/])*"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"']+")


def scheme(url: str) -> str | None:
    """The lower-case scheme of an address with `://`, None for a path of a file.

    >>> scheme("RTSP://10.0.0.7/main"), scheme("/srv/video.mp4")
    ('rtsp', None)
    """
    found = _SCHEME.match(url)
    return found.group().lower() if found else None


def is_live(url: str) -> bool:
    """Whether the address is of something that happens now and not a file.

    >>> is_live("rtsp://10.0.0.7/main"), is_live("/dev/video0"), is_live("video.mp4")
    (True, True, False)
    """
    return scheme(url) in LIVE_SCHEMES or is_device(url)


def is_web(url: str) -> bool:
    """Whether a web server is asked."""
    return scheme(url) in _WEB


def is_device(url: str) -> bool:
    """Whether it is a video device of this machine: by its number, or by the lasting name that udev gives it.

    >>> [is_device(each) for each in ("v4l2:///dev/video0", "/dev/video2", "/dev/v4l/by-id/usb-X-index0", "/dev/shm/x")]
    [True, True, True, False]
    """
    return scheme(url) in _DEVICE or re.fullmatch(r"/dev/(video\d+|v4l/.+)", url) is not None


def device_path(url: str) -> str:
    """Where a video device is in the file system.

    >>> device_path("v4l2:///dev/video0"), device_path("/dev/video2")
    ('/dev/video0', '/dev/video2')
    """
    return url.partition("://")[2] or url


def redacted(url: str) -> str:
    """The address as it may be shown: without user, password and query; values like `password=…` in the path masked.

    Some recorders want the password inside the path, so the path is searched too. A file's path comes back unchanged.

    >>> redacted("rtsp://admin:s3cret@10.0.0.7:554/main?token=abc")
    'rtsp://10.0.0.7:554/main'
    >>> redacted("rtsp://10.0.0.7/user=admin_password=s3cret_channel=1.sdp")
    'rtsp://10.0.0.7/user=***_password=***_channel=1.sdp'
    """
    found = scheme(url)
    if found is None:
        return url
    # A raw '@', '/' or '?' in a password makes the address ambiguous: everything up to the last '@' is a secret.
    rest = url[len(found) + 3 :]
    host_and_path = re.split(r"[?#]", rest.rpartition("@")[2])[0]
    return f"{found}://" + _SECRET.sub(r"\1=***", host_and_path)


def redacted_text(text: str) -> str:
    """A text in which every address is redacted and every value like `password=…` masked.

    >>> redacted_text("Could not open rtsp://u:p@10.0.0.7/main?x=1 with user-pw=abc")
    'Could not open rtsp://10.0.0.7/main with user-pw=***'
    """
    shown = _ADDRESS.sub(lambda found: redacted(found.group()), text)
    return re.sub(
        r"(?i)([\w-]*(?:user|pass|pwd|pw|auth|token|key|secret)[\w-]*\s*=\s*)(?:\"[^\"]*\"|\S+)", r"\1***", shown
    )
