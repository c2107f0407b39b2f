"""A command that stands in for `teawatch edge redact`: it writes what it is told to, quickly."""

import sys
from pathlib import Path

SCRIPT = """
import hashlib, json, os, sys, time
from pathlib import Path
source, target, *more = sys.argv[1:]
data = Path(source).read_bytes()
boxes = [[int(n) for n in each.removeprefix("--box=").split(",")] for each in more if each.startswith("--box=")]
how = Path(MOOD).read_text()
if how == "fail":
    sys.exit("a warning\\nteawatch edge redact: the picture is truncated")
if how == "hang":
    time.sleep(60)
if how == "hungry":
    held = bytearray(4 * 2**30)
if how == "secrets":
    sys.exit(" ".join(sorted(os.environ)))
copy = b"\\xff\\xd8\\xff" + hashlib.sha256(data + repr(boxes).encode()).digest()
if how == "no copy":
    sys.exit(0)
if how == "no picture":
    copy = b"<html>" + copy
Path(target).write_bytes(copy)
model = {"name": "stand-in", "sha256": "e" * 64}
told = {
    "original_sha256": hashlib.sha256(data).hexdigest(),
    "copy_sha256": hashlib.sha256(copy).hexdigest(),
    "size_bytes": len(copy),
    "media_type": "image/jpeg",
    "frame": {"width": 640, "height": 480},
    "method": "solid_fill",
    "covered": [
        {"what": "by_hand", "box": {"x": x, "y": y, "width": w, "height": h}} for x, y, w, h in boxes
    ] + [{"what": "face", "box": {"x": 1, "y": 2, "width": 3, "height": 4}, "score_permille": 900}],
    "models": {"face": model, "head": model, "plate": model},
}
if how == "coarse":
    told["coarse"] = ["face"]
if how == "other picture":
    told["original_sha256"] = "a" * 64
if how == "other copy":
    told["copy_sha256"] = "b" * 64
if how == "no faces sought":
    del told["models"]["face"]
if how == "boxes forgotten":
    told["covered"] = told["covered"][1:]
print("{" if how == "no report" else json.dumps(told))
"""


def stand_in(folder: Path, how: str = "well") -> tuple[str, ...]:
    """The command, for `redaction.command`; from now on it goes so. `folder` is an existing one."""
    script, mood = folder / "redact.py", folder / "mood"
    script.write_text(SCRIPT.replace("MOOD", repr(str(mood))))
    mood.write_text(how)
    return sys.executable, str(script)
