"""The peer's environment: `ultralytics` (AGPL-3.0) is installed into a folder of its own in the cache, never into ours.

Everything in it is pinned with hashes by `requirements/peer.txt`, and nothing beyond that list is installed: the peer
names the OpenCV wheel that needs a desktop, and graphics libraries of several gigabytes.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edge.bench.clips import NothingToMeasure, cache_folder

LOCK = Path(__file__).parents[2] / "requirements" / "peer.txt"
SCRIPTS = Path(__file__).parent / "peer"
PROBE = "import torch, numpy; torch.from_numpy(numpy.zeros(1))"


def peer_python(say: Callable[[str], None]) -> Path:
    """The peer's Python, its environment made first where it is not there yet (minutes, about 1.5 GB).

    `say` hears what is being done. Raises NothingToMeasure where it cannot be made, with no network for example.
    """
    if not LOCK.is_file():
        raise NothingToMeasure("requirements/peer.txt is not here; the peer is measured from a checkout")
    folder = cache_folder() / f"peer-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    python, ready = folder / "bin" / "python", folder / "ready"
    with _alone(folder.with_suffix(".lock")):
        if not ready.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            say(f"installing the peer into {folder} (once, some minutes) ...")
            _run([sys.executable, "-m", "venv", str(folder)], "venv")
            locked = ["--no-deps", "--require-hashes", "--requirement", str(LOCK)]
            _run([str(python), "-m", "pip", "install", "--quiet", "--no-input", *locked], "pip")
            _run([str(python), "-c", PROBE], "torch (pip must find its build for processors)")
            ready.touch()
    return python


def script(name: str) -> str:
    """The path of one of the peer's scripts."""
    return str(SCRIPTS / f"{name}.py")


def peer_variables() -> dict[str, str]:
    """Environment of the peer's processes: its settings in the cache, no installing and no calling home at run time."""
    return {
        "YOLO_CONFIG_DIR": str(cache_folder() / "bench"),
        "YOLO_AUTOINSTALL": "false",
        "YOLO_OFFLINE": "true",
        "MPLCONFIGDIR": str(cache_folder() / "bench"),
    }


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - our own arguments
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise NothingToMeasure(f"the peer cannot be installed: {what}: {lines[-1] if lines else done.returncode}")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time makes an environment or weights."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
