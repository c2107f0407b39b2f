"""What can be said of the times in a bundle: that they cannot be, or count for little."""

from collections.abc import Mapping
from typing import Final

from alerts.bundles.faults import Fault, Line, line

TIMES: Final[Mapping[str, Line]] = {
    "before_enrolment": line(
        Fault.TIME,
        "the record %(name)s says it was made %(at)s, before the box was enrolled (%(limit)s)",
        "记录 %(name)s 自称生成于 %(at)s，早于设备注册（%(limit)s）",
    ),
    "after_receipt": line(
        Fault.TIME,
        "the record %(name)s says it was made %(at)s, after the centre received it (%(limit)s)",
        "记录 %(name)s 自称生成于 %(at)s，晚于中心接收（%(limit)s）",
    ),
    "seen_after_made": line(
        Fault.TIME,
        "the record %(name)s tells of %(at)s, after it was made (%(limit)s)",
        "记录 %(name)s 所述时间 %(at)s 晚于其生成时间（%(limit)s）",
    ),
    "received_after_seal": line(
        Fault.TIME,
        "the record %(name)s was received %(at)s, after the bundle was sealed (%(limit)s)",
        "记录 %(name)s 接收于 %(at)s，晚于证据包封存（%(limit)s）",
    ),
    "shows_elsewhere": line(
        Fault.TIME,
        "the %(role)s %(sha256)s shows what was at %(found)s, the incident was at %(wanted)s",
        "%(role)s %(sha256)s 所示时间为 %(found)s，而事件发生在 %(wanted)s",
    ),
    "clock_not_set": line(
        None,
        "the clock of %(device)s was not set when it made %(count)s of the records: they count from their receipt",
        "%(device)s 生成其中 %(count)s 条记录时时钟未校准：以接收时间为准",
    ),
    "odd_time_told": line(
        None,
        "the record %(name)s tells of a time that cannot be (made %(at)s); the seal says so: it counts from its "
        "receipt, %(limit)s",
        "记录 %(name)s 所述时间不可能（自称生成于 %(at)s）；封印已注明：以接收时间 %(limit)s 为准",
    ),
    "clock_unknown": line(
        None,
        "%(device)s could not tell whether its clock was set when it made %(count)s of the records",
        "%(device)s 生成其中 %(count)s 条记录时无法判断时钟是否校准",
    ),
}
