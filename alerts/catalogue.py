"""The words box and centre share: kinds of violation and the clauses that prove them.

A kind is what an alert says happened; a clause is one measured condition of a rule. Both carry their Chinese
and English names here and nowhere else, so a page can explain an alert of a rule it has never heard of.
What follows from a kind (deadline, who may act, which law) is the centre's business: `enforcement/policy.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Scene = Literal["street", "garden", "plant"]


@dataclass(frozen=True, slots=True)
class Words:
    """One term in the two languages of the interface."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Chinese for any `zh…` tag, English otherwise."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of violation a camera can report as a lead (线索)."""

    key: str
    scene: Scene
    words: Words


@dataclass(frozen=True, slots=True)
class Condition:
    """A clause: one measured condition of a rule.

    `is_yes_or_no`: it holds or not, its numbers say nothing to a person. `is_ending`: it tells why an incident ended.
    """

    words: Words
    is_yes_or_no: bool = False
    is_ending: bool = False


def _table(*kinds: Kind) -> Mapping[str, Kind]:
    return MappingProxyType({kind.key: kind for kind in kinds})


KINDS: Mapping[str, Kind] = _table(
    Kind("street.illegal_parking", "street", Words("机动车违法停车", "Illegal parking")),
    Kind("garden.intrusion", "garden", Words("闯入茶园保护地块", "Intrusion into a protected tea plot")),
    Kind("plant.presence", "plant", Words("封闭区内有人", "Person in a closed area of the plant")),
)

CLAUSES: Mapping[str, Condition] = MappingProxyType(
    {
        "vehicle_in_zone": Condition(Words("车辆在禁停区内", "vehicle inside the no-parking zone")),
        "person_in_zone": Condition(Words("人员在保护区内", "person inside the protected area")),
        "standing_time": Condition(Words("停留时间", "standing time")),
        "time_inside": Condition(Words("在区内时间", "time inside")),
        "persons": Condition(Words("人数", "persons")),
        "overlap": Condition(Words("与区域重叠", "overlap with the zone")),
        "within_schedule": Condition(Words("在管控时段内", "within the guarded hours"), is_yes_or_no=True),
        "seen_share": Condition(Words("可见画面占比", "share of the pictures it was seen in")),
        "unseen_time": Condition(Words("未再出现的时间", "time not seen any more"), is_ending=True),
        "configured": Condition(Words("仍在配置中", "still in the configuration"), is_yes_or_no=True, is_ending=True),
    }
)

SHORTFALLS: Mapping[str, Words] = MappingProxyType(
    {
        "connection": Words("与摄像机的连接中断", "the connection to the camera broke"),
        "coding": Words("摄像机改变了编码", "the camera changed its coding"),
        "gap": Words("部分画面丢失", "some of the pictures were lost"),
        "stalled": Words("摄像机不再传来画面", "no more pictures came from the camera"),
        "size": Words("片段达到大小上限", "the clip had become as large as it may"),
        "memory": Words("设备内存不足", "the box had no memory left for more"),
        "raw": Words(
            "摄像机只发来未压缩画面，由设备制成 JPEG", "the camera sends raw pictures, of which the box made JPEG"
        ),
    }
)
"""Why a clip shows less than it was to."""

UNITS: Mapping[str, Words] = MappingProxyType(
    {
        "ms": Words("毫秒", "ms"),
        "count": Words("个", ""),
        "permille": Words("‰", "‰"),
    }
)
