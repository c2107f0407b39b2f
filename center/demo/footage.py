"""The demo's footage: `vtest.avi`, taken from the user's own Debian or Ubuntu archive.

The clip (PETS 2009, a public street scene) shows recognisable people, so TeaWatch does not ship it. The package
`opencv-doc` has it; apt checks the archive's signature, nothing is installed and no root is needed.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

PACKAGE = "opencv-doc"
MEMBER = "./usr/share/doc/opencv-doc/examples/data/vtest.avi"
INSTALLED = Path("/") / MEMBER
INSTEAD = "use your own footage: teawatch demo --video FILE, or --camera URL"


class FootageUnavailable(Exception):
    """The demo clip could not be had; the message says why and what to do instead."""


def cache_folder() -> Path:
    """Where the clip is kept between demos (`XDG_CACHE_HOME`, or `~/.cache`)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teawatch"


def fetch_vtest(folder: Path) -> Path:
    """The clip's path in `folder`, fetched (96 MB, once) when it is not there yet.

    Raises:
        FootageUnavailable: no apt on this machine, no archive within reach, or a package without the clip.
    """
    clip = folder / "vtest.avi"
    if clip.exists():
        return clip
    if INSTALLED.exists():
        return INSTALLED
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise FootageUnavailable(f"the demo clip comes from Debian's package {PACKAGE}, and apt is not here; {INSTEAD}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        package = _download(Path(scratch))
        unpacked = Path(scratch) / "vtest.avi"
        _extract(package, unpacked)
        unpacked.replace(clip)
    return clip


def _download(scratch: Path) -> Path:
    """Download the package, with the machine's package lists if they serve, else with lists of our own."""
    lists, archives = scratch / "lists", scratch / "archives"
    (lists / "partial").mkdir(parents=True)
    (archives / "partial").mkdir(parents=True)
    own = [
        f"-oDir::State::lists={lists}",
        f"-oDir::Cache={archives}",
        "-oAPT::Sandbox::User=",
        "-oAPT::Update::Error-Mode=any",
    ]
    if _apt(["-oAPT::Sandbox::User=", "download", PACKAGE], scratch):
        complaint = _apt([*own, "update"], scratch) or _apt([*own, "download", PACKAGE], scratch)
        if complaint:
            raise FootageUnavailable(f"apt could not fetch {PACKAGE} ({complaint}); {INSTEAD}")
    return next(scratch.glob(f"{PACKAGE}_*.deb"))


def _apt(arguments: Sequence[str], folder: Path) -> str:
    """Run apt-get in `folder`; empty when it worked, otherwise the last thing it said."""
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["apt-get", "-qq", "-oDebug::NoLocking=true", *arguments],  # noqa: S607 - the user's own apt
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]


def _extract(package: Path, target: Path) -> None:
    """Unpack the one clip from the package, as a stream."""
    unpack = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(unpack, stdout=subprocess.PIPE) as stream,  # noqa: S603 - our own arguments
        tarfile.open(fileobj=stream.stdout, mode="r|") as archive,
    ):
        for member in archive:
            if member.name == MEMBER and (content := archive.extractfile(member)):
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
                stream.kill()
                return
    raise FootageUnavailable(f"{package.name} does not contain {MEMBER}; {INSTEAD}")
