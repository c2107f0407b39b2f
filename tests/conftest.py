"""What every test may ask for: the folder of shared data, Debian packages, and quiet warnings about either."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

# How long an example takes says nothing on a shared machine: timing belongs in `teawatch bench`.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

SHARED = Path(__file__).parents[2] / "shared"
IN_CI = os.environ.get("CI") == "true"

# What `@pytest.mark.system(...)` may name, and how its presence is seen. The packages: tests/system-packages.txt.
PRESENT = {
    "postgresql": lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb"),
    "mosquitto": lambda: shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin"),
    # Playwright's driver needs libatomic1 beside the browser.
    "chromium": lambda: shutil.which("chromium") and any(Path("/usr/lib").glob("*/libatomic.so.1")),
    "fonts-noto-cjk": lambda: Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").exists(),
    "ffmpeg": lambda: shutil.which("ffmpeg"),
    "gcc": lambda: shutil.which("gcc"),
    "libc6-dev": lambda: Path("/usr/include/stdio.h").exists(),
    "linux-libc-dev": lambda: Path("/usr/include/linux/videodev2.h").exists(),
    "openssl": lambda: shutil.which("openssl"),
    "systemd": lambda: shutil.which("systemd-analyze"),
    "gst-rtsp-server": lambda: any(Path("/usr/lib").glob("*/girepository-1.0/GstRtspServer-1.0.typelib")),
    # GLib finds it when a camera is to serve rtsps://.
    "glib-networking": lambda: any(Path("/usr/lib").glob("*/gio/modules/libgiognutls.so")),
}


def absent(reason: str) -> None:
    """Skip, by name, on a user's machine; fail in CI, where everything is there."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("system"):
        missing = [package for package in marker.args if not PRESENT[package]()]
        if missing:
            absent(f"needs {', '.join(missing)}: see tests/system-packages.txt")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Commands set the process's logging up for themselves; the next test starts without that."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The read-only folder of footage, models and pictures beside the checkout."""
    if not SHARED.is_dir():
        absent(f"shared data is not at {SHARED.name} beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def vtest(shared: Path) -> Path:
    """PETS 2009 S2.L1: 768x576, 10 fps, 795 frames; a van and a car parked throughout."""
    return shared / "footage" / "vtest.avi"
