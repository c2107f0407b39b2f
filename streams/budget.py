"""Whether the rings that a configuration asks for fit into this machine."""

from collections.abc import Mapping
from pathlib import Path

from streams.errors import RingTooLarge

LARGEST_SHARE = 0.5
"""Of memory, for all rings together: detector, decoders and the system need the rest."""

_KIB = 1024
_MIB = 1024 * _KIB
_MEMINFO = Path("/proc/meminfo")
_OWN_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def check_rings(max_bytes: Mapping[str, int], memory_bytes: int) -> None:
    """Raise RingTooLarge if the rings, `max_bytes` by camera, would not fit into a machine of `memory_bytes`."""
    total, most = sum(max_bytes.values()), int(memory_bytes * LARGEST_SHARE)
    if total <= most:
        return
    largest = max(max_bytes, key=lambda camera: max_bytes[camera])
    raise RingTooLarge(
        f"the packet rings of {len(max_bytes)} cameras may take {total // _MIB} MiB, of which {largest} alone"
        f" {max_bytes[largest] // _MIB} MiB; this machine has {memory_bytes // _MIB} MiB and spares"
        f" {most // _MIB} MiB for them; configure smaller rings or fewer cameras"
    )


def memory_bytes() -> int:
    """Memory this process may use: the machine's, or less where its control group (cgroup v2) is limited."""
    return min([_machine_bytes(), *_group_limits()])


def _machine_bytes() -> int:
    for line in _MEMINFO.read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * _KIB
    return 0


def _group_limits() -> list[int]:
    """`memory.max` of the process's own group and of every group above it."""
    try:
        entries = _OWN_GROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    groups = [_GROUPS / entry.removeprefix("0::/") for entry in entries if entry.startswith("0::/")]
    folders = [folder for group in groups for folder in (group, *group.parents) if folder.is_relative_to(_GROUPS)]
    limits = (_read(folder / "memory.max") for folder in folders)
    return [int(limit) for limit in limits if limit.isdecimal()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
