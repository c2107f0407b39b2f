"""An address may be shown without showing what opens the camera."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import addresses
from streams.addresses import redacted
from streams.frames import Camera


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://10.0.0.7/main", "rtsp://10.0.0.7/main"),
        ("rtsp://viewer@10.0.0.7/main", "rtsp://10.0.0.7/main"),
        ("rtsp://viewer:pa@ss@10.0.0.7:554/main", "rtsp://10.0.0.7:554/main"),
        ("rtsp://viewer:p/a?s#s@10.0.0.7/main", "rtsp://10.0.0.7/main"),
        ("rtsps://u:p@[fd00::7]:322/a/b?pw=1#x", "rtsps://[fd00::7]:322/a/b"),
        ("rtsp://10.0.0.7/cam?user=admin&password=s3cret", "rtsp://10.0.0.7/cam"),
        ("rtsp://10.0.0.7/User=a&Password=s3cret&channel=1", "rtsp://10.0.0.7/User=***&Password=***&channel=1"),
        (
            "rtsp://10.0.0.7/user=a_password=s3_cret_x_channel=1.sdp",
            "rtsp://10.0.0.7/user=***_password=***_channel=1.sdp",
        ),
        ("rtsp://u:p@[fd00::7/main", "rtsp://[fd00::7/main"),
        ("/srv/films/a@b.mp4", "/srv/films/a@b.mp4"),
    ],
)
def test_user_password_and_query_are_not_shown_of_whatever_address(url: str, shown: str) -> None:
    assert redacted(url) == shown


@given(secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6))
def test_no_password_survives_however_odd_its_letters(secret: str) -> None:
    assert secret not in redacted(f"rtsp://viewer:{secret}@camera/stream").replace("camera/stream", "")


def test_a_camera_can_be_logged_without_its_address() -> None:
    assert "s3cret" not in repr(Camera(id="cam-1", url="rtsp://admin:s3cret@10.0.0.7/main"))


def test_the_examples_in_the_documentation_hold() -> None:
    assert doctest.testmod(addresses).failed == 0
