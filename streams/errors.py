"""What can go wrong with a source, one clear line each.

    StreamError
    ├── SourceError            this source cannot be played
    │   ├── SourceMissing      no such file, no such path on the camera, or no way to read it
    │   ├── NotAVideo          something is there, but nothing a decoder can show
    │   ├── PictureTooLarge    its pictures have more pixels than the camera may send
    │   └── SourceUnreachable  the camera does not answer, or stopped answering
    │       ├── AccessDenied   it answers, and refuses this user or password
    │       └── BrokenOff      its answer ended too early, or nobody has its name
    ├── RingTooLarge           the packet rings would not fit into memory
    └── NotCuttable            no clip can be made of these packets

No message carries a user name, a password or a query string of an address: see `addresses.redacted`.
"""


class StreamError(Exception):
    """Base of every error of `streams`."""


class SourceError(StreamError):
    """A camera's source cannot be played. The message names the camera and the source, and says what to do."""


class SourceMissing(SourceError):
    """There is no such file, or the camera has no such path, or this user may not read it."""


class NotAVideo(SourceError):
    """A file or stream is there but holds no moving pictures that can be decoded."""


class PictureTooLarge(SourceError):
    """The pictures have more pixels than this camera is allowed to send."""


class SourceUnreachable(SourceError):
    """The camera did not answer in time, refused the connection or broke it."""


class AccessDenied(SourceUnreachable):
    """The camera answered and refused the user name or password in its address."""


class BrokenOff(SourceUnreachable):
    """The answer ended before it was a video or while it was played, or there is no such host: FFmpeg says no more."""


class RingTooLarge(StreamError):
    """The packet rings that the configuration asks for would not fit into this machine's memory."""


class NotCuttable(StreamError):
    """No clip can be made of these packets: there is no key frame among them, or no container takes their codec."""
