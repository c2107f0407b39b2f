"""What can be said of pictures, clips, recordings of officers and redacted copies in a bundle."""

from collections.abc import Mapping
from typing import Final

from alerts.bundles.faults import Fault, Line, line
from alerts.catalogue import Words

ROLES: Final[Mapping[str, Words]] = {
    "picture": Words("原图", "picture"),
    "annotated": Words("标注图", "annotated picture"),
    "clip": Words("视频片段", "clip"),
    "redacted": Words("脱敏图", "redacted picture"),
    "recording": Words("录音录像", "recording"),
}

FILES: Final[Mapping[str, Line]] = {
    "file_altered": line(
        Fault.ALTERED,
        "%(name)s is not the file that the box announced",
        "%(name)s 不是设备所声明的文件",
    ),
    "file_foreign": line(
        Fault.SWAPPED,
        "%(name)s belongs to no incident of this bundle: no record announces it",
        "%(name)s 不属于本包的任何事件：没有记录声明过它",
    ),
    "file_unvouched": line(
        Fault.MISSING,
        "the record that announced %(name)s is not here as it was, so nothing vouches for this file",
        "声明 %(name)s 的记录缺失或已改动，该文件无从核实",
    ),
    "file_missing": line(
        Fault.MISSING,
        "the %(role)s %(sha256)s that the box announced is missing, and the seal does not say why",
        "设备声明过的%(role)s %(sha256)s 缺失，封印也未说明原因",
    ),
    "file_absent": line(
        None,
        "the %(role)s %(sha256)s was announced by the box; the centre did not have it when it made the bundle",
        "设备声明过的%(role)s %(sha256)s 在制作证据包时不在中心",
    ),
    "original_unknown": line(
        Fault.MISSING,
        "the copy %(sha256)s was made from a file that the box never announced",
        "副本 %(sha256)s 所依据的原件从未由设备声明",
    ),
}

CLIPS: Final[Mapping[str, Line]] = {
    "clip_falls_short": line(
        None,
        "the clip %(sha256)s shows less than it was to, as the box itself said: %(reasons)s",
        "视频片段 %(sha256)s 所示少于应有内容，设备已自行说明：%(reasons)s",
    ),
}

ADDED: Final[Mapping[str, Line]] = {
    "added_altered": line(
        Fault.ALTERED,
        "%(name)s is not what was added at the centre",
        "%(name)s 不是中心所添加的文件",
    ),
    "added_by_officers": line(
        None,
        "%(count)s recordings were added by officers: the centre vouches for their bytes since then, no box does",
        "有 %(count)s 份录音录像由执法人员添加：中心仅保证其自添加时起未变，没有设备为其背书",
    ),
    "derivative_of_nothing": line(
        Fault.SWAPPED,
        "the redacted copy %(sha256)s is said to be made of %(original)s, which is no file of this case",
        "脱敏副本 %(sha256)s 自称由 %(original)s 制成，而本案并无该文件",
    ),
    "redacted_copies": line(
        None,
        "%(count)s redacted copies lie beside their originals: made by the centre to be shown, they are no evidence",
        "有 %(count)s 份脱敏副本与原件并存：由中心为对外展示而制作，本身不是证据",
    ),
}
