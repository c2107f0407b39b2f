"""Why a camera cannot be played, apart from what to do about it: as a person reads the two under each other."""

import re

IT_IS_CONNECTED_AGAIN = "it is connected again"
ITS_OWN_PAGE = "look at the camera's own page"
OVERLOADED = "see whether the camera is overloaded or has too many viewers"
LOGIN = "if the password has / ? # in it, write them as %2F %3F %23"

_SPLIT_LOGIN = re.compile(r"://[^/?#]*:[^/?#]*[/?#].*@")
"""What ends the host's name before the login's `@`: either in the password, or (rarely) an `@` in the path."""


def what_and_remedy(url: str, message: str, camera_id: str) -> tuple[str, str]:
    """The two halves of an error of `streams` about this camera, for somebody who is trying it out.

    >>> what_and_remedy("x.mp4", "camera c: x.mp4: no such file; check the path", "c")
    ('x.mp4: no such file', 'check the path')
    """
    what, semicolon, remedy = message.removeprefix(f"camera {camera_id}: ").rpartition("; ")
    if not semicolon:
        what, remedy = remedy, ITS_OWN_PAGE
    remedy = remedy.replace(IT_IS_CONNECTED_AGAIN, OVERLOADED)
    return what, f"{remedy}; {LOGIN}" if _SPLIT_LOGIN.search(url) else remedy
