"""What can be said of a bundle that does not hold, and of one that does: one line each, in two languages.

A fault is what somebody may have done to a bundle; a finding is one place where it shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from alerts.catalogue import Words


class Fault(StrEnum):
    """What is the matter, for programs; people read the line."""

    FORM = "form"
    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    CUT = "cut"
    SPLICED = "spliced"
    REORDERED = "reordered"
    SWAPPED = "swapped"
    WRONG_KEY = "wrong_key"
    TIME = "time"
    LOG = "log"


class _Line(NamedTuple):
    fault: Fault | None
    words: Words


def _line(fault: Fault | None, en: str, zh: str) -> _Line:
    return _Line(fault, Words(zh, en))


_FORM: Mapping[str, _Line] = {
    "unreadable_file": _line(Fault.FORM, "the file cannot be read: %(reason)s", "无法读取文件：%(reason)s"),
    "not_a_zip": _line(Fault.FORM, "this is no bundle: it is not a ZIP file", "这不是证据包：不是 ZIP 文件"),
    "too_large": _line(
        Fault.FORM, "%(size)s bytes; a bundle has %(most)s at most", "%(size)s 字节；证据包最大 %(most)s 字节"
    ),
    "too_many": _line(
        Fault.FORM,
        "%(count)s members; a bundle has %(most)s at most",
        "有 %(count)s 个成员；证据包最多 %(most)s 个",
    ),
    "cut_file": _line(
        Fault.CUT,
        "the file is cut off: its directory, which stands at the end, is not whole",
        "文件被截断：位于末尾的目录不完整",
    ),
    "bytes_before": _line(Fault.FORM, "something stands before the bundle", "证据包之前有多余的数据"),
    "bytes_after": _line(
        Fault.FORM, "a comment or something else stands after the bundle", "证据包之后有注释或多余的数据"
    ),
    "bytes_between": _line(
        Fault.FORM,
        "its members do not lie one after the other: something is between them, overlaps, or was cut out",
        "成员没有依次相接：中间有多余数据、重叠或被切除",
    ),
    "other_form": _line(
        Fault.FORM,
        "the ZIP header of %(name)s is not the one that the centre writes",
        "%(name)s 的 ZIP 头与中心写入的不同",
    ),
    "twice": _line(Fault.FORM, "the member %(name)s is there twice", "成员 %(name)s 出现两次"),
    "members_reordered": _line(Fault.REORDERED, "its members are not in the order of their names", "成员未按名称排序"),
    "path_trick": _line(
        Fault.FORM,
        "the member's name %(name)s could lead out of a folder, or is not plain",
        "成员名称 %(name)s 可能指向文件夹之外，或不规范",
    ),
    "encrypted": _line(Fault.FORM, "the member %(name)s is encrypted", "成员 %(name)s 已加密"),
    "compressed": _line(
        Fault.FORM,
        "the member %(name)s is compressed; a bundle holds its members as they are, so that nothing can swell",
        "成员 %(name)s 被压缩；证据包按原样存放成员，不会膨胀",
    ),
    "link": _line(Fault.FORM, "the member %(name)s is a link", "成员 %(name)s 是链接"),
    "extra_field": _line(
        Fault.FORM, "the member %(name)s has a comment or an extra field", "成员 %(name)s 带有注释或附加字段"
    ),
    "crc": _line(Fault.FORM, "the ZIP check sum of %(name)s is wrong", "%(name)s 的 ZIP 校验和不对"),
}

_SEAL: Mapping[str, _Line] = {
    "no_seal": _line(Fault.MISSING, "the centre's seal (%(name)s) is missing", "缺少中心的封印（%(name)s）"),
    "seal_altered": _line(Fault.ALTERED, "the centre's seal was altered: %(reason)s", "中心的封印被改动：%(reason)s"),
    "seal_unreadable": _line(
        Fault.FORM, "the centre's seal cannot be read: %(reason)s", "无法读取中心的封印：%(reason)s"
    ),
    "seal_stranger": _line(
        Fault.WRONG_KEY,
        "the seal was made with the key %(key)s, which your file of keys does not name as the centre's",
        "封印使用的密钥 %(key)s 不在您的密钥文件所列的中心密钥之中",
    ),
    "seal_out_of_time": _line(
        Fault.WRONG_KEY,
        "the seal is of %(at)s, when the centre's key %(key)s was not trusted",
        "封印时间 %(at)s 不在中心密钥 %(key)s 的可信期内",
    ),
    "other_tenant": _line(
        Fault.SWAPPED,
        "the seal is of tenant %(found)s, your keys are of %(wanted)s",
        "封印属于 %(found)s，而您的密钥属于 %(wanted)s",
    ),
    "other_case": _line(
        Fault.SWAPPED,
        "this is the bundle of case %(found)s, not of %(wanted)s",
        "这是案件 %(found)s 的证据包，不是 %(wanted)s 的",
    ),
}

_MEMBERS: Mapping[str, _Line] = {
    "member_altered": _line(
        Fault.ALTERED, "%(name)s was altered: it is not what was sealed", "%(name)s 被改动：与封存时不同"
    ),
    "member_missing": _line(Fault.MISSING, "%(name)s is missing", "缺少 %(name)s"),
    "member_added": _line(
        Fault.ADDED, "%(name)s was added: the seal does not know it", "%(name)s 是后加的：封印中没有它"
    ),
    "end_cut": _line(
        Fault.CUT,
        "the end is cut off: revision %(revision)s of incident %(incident)s, its last, is missing",
        "结尾被截去：事件 %(incident)s 的最后一版（第 %(revision)s 版）缺失",
    ),
}

_RECORDS: Mapping[str, _Line] = {
    "record_unreadable": _line(
        Fault.ALTERED, "the record %(name)s cannot be read: %(reason)s", "无法读取记录 %(name)s：%(reason)s"
    ),
    "record_signature": _line(
        Fault.ALTERED,
        "the record %(name)s is not what the box signed: %(reason)s",
        "记录 %(name)s 与设备签名的内容不同：%(reason)s",
    ),
    "record_stranger": _line(
        Fault.WRONG_KEY,
        "the record %(name)s is signed with the key %(key)s, which your file of keys does not know",
        "记录 %(name)s 使用的密钥 %(key)s 不在您的密钥文件中",
    ),
    "record_of_another": _line(
        Fault.SWAPPED,
        "the record %(name)s speaks for %(says)s but is signed with a key of %(owner)s",
        "记录 %(name)s 声称来自 %(says)s，却由 %(owner)s 的密钥签名",
    ),
    "record_past_trust": _line(
        Fault.WRONG_KEY,
        "the record %(name)s is signed with the key %(key)s beyond the place up to which that key is trusted",
        "记录 %(name)s 的签名密钥 %(key)s 在该位置已不可信",
    ),
    "record_distrusted": _line(
        Fault.WRONG_KEY,
        "the centre itself trusts the record %(name)s no more: of the key that signed it, records up to %(last)s only",
        "中心自己已不再信任记录 %(name)s：签署它的密钥仅在第 %(last)s 条及之前可信",
    ),
    "record_misplaced": _line(
        Fault.REORDERED,
        "%(name)s holds the record of another place: %(found)s",
        "%(name)s 中是另一位置的记录：%(found)s",
    ),
    "record_unlisted": _line(
        Fault.SPLICED, "the seal does not say when %(name)s was received", "封印未注明 %(name)s 的接收时间"
    ),
    "record_lost": _line(
        Fault.MISSING,
        "record %(sequence)s of %(device)s is named by the seal and is not here",
        "封印提到 %(device)s 的第 %(sequence)s 条记录，但它不在包内",
    ),
    "chain_broken": _line(
        Fault.SPLICED,
        "the journal of %(device)s was spliced: record %(sequence)s does not follow the one before it",
        "%(device)s 的日志被拼接：第 %(sequence)s 条记录与前一条不衔接",
    ),
    "chain_gap": _line(
        Fault.SPLICED,
        "the journal of %(device)s lacks the records %(first)s to %(last)s, and the seal does not say so",
        "%(device)s 的日志缺少第 %(first)s 至 %(last)s 条记录，封印却未注明",
    ),
    "chain_fork": _line(
        Fault.SPLICED,
        "the journal of %(device)s has several records %(sequence)s, and the seal does not say so",
        "%(device)s 的日志有多条第 %(sequence)s 号记录，封印却未注明",
    ),
}

_INCIDENTS: Mapping[str, _Line] = {
    "no_incident": _line(Fault.MISSING, "the seal names no incident", "封印未写明任何事件"),
    "case_mismatch": _line(
        Fault.SWAPPED,
        "the incident %(incident)s of %(device)s does not belong to case %(case)s",
        "%(device)s 的事件 %(incident)s 不属于案件 %(case)s",
    ),
    "record_foreign": _line(
        Fault.SWAPPED,
        "the record %(name)s is of a box that this case has nothing to do with",
        "记录 %(name)s 来自与本案无关的设备",
    ),
    "end_missing": _line(
        Fault.CUT,
        "revision %(revision)s of incident %(incident)s, sealed as the last, is not here",
        "封印所记事件 %(incident)s 的最后一版（第 %(revision)s 版）不在包内",
    ),
    "beyond_end": _line(
        Fault.SPLICED,
        "incident %(incident)s has a revision %(found)s here, the seal ends with %(revision)s",
        "事件 %(incident)s 有第 %(found)s 版，而封印止于第 %(revision)s 版",
    ),
    "revisions_missing": _line(
        Fault.MISSING,
        "the revisions %(first)s to %(last)s of incident %(incident)s are missing, and the seal does not say so",
        "事件 %(incident)s 缺少第 %(first)s 至 %(last)s 版，封印却未注明",
    ),
    "file_altered": _line(
        Fault.ALTERED,
        "%(name)s is not the file that the box announced",
        "%(name)s 不是设备所声明的文件",
    ),
    "file_foreign": _line(
        Fault.SWAPPED,
        "%(name)s belongs to no incident of this bundle: no record announces it",
        "%(name)s 不属于本包的任何事件：没有记录声明过它",
    ),
    "file_missing": _line(
        Fault.MISSING,
        "the %(role)s %(sha256)s that the box announced is missing, and the seal does not say why",
        "设备声明过的%(role)s %(sha256)s 缺失，封印也未说明原因",
    ),
    "original_unknown": _line(
        Fault.MISSING,
        "the copy %(sha256)s was made from a file that the box never announced",
        "副本 %(sha256)s 所依据的原件从未由设备声明",
    ),
}

_DERIVATIVES: Mapping[str, _Line] = {
    "derivative_of_nothing": _line(
        Fault.SWAPPED,
        "the redacted copy %(sha256)s is said to be made of %(original)s, which is no file of this case",
        "脱敏副本 %(sha256)s 自称由 %(original)s 制成，而本案并无该文件",
    ),
    "log_derivative": _line(
        Fault.LOG,
        "the log does not hold the redacted copy %(sha256)s as it is sealed here: %(reason)s",
        "日志中并无如此封存的脱敏副本 %(sha256)s：%(reason)s",
    ),
    "log_lacks_derivative": _line(
        Fault.LOG,
        "the log's proof for the redacted copy %(sha256)s is missing",
        "缺少脱敏副本 %(sha256)s 的日志证明",
    ),
    "log_waits_for_derivatives": _line(
        None,
        "%(count)s redacted copies were not yet in the log when the bundle was made; the seal says so",
        "制作证据包时有 %(count)s 份脱敏副本尚未进入日志；封印已注明",
    ),
    "redacted_copies": _line(
        None,
        "%(count)s redacted copies lie beside their originals: made by the centre to be shown, they are no evidence",
        "有 %(count)s 份脱敏副本与原件并存：由中心为对外展示而制作，本身不是证据",
    ),
}

_TIMES: Mapping[str, _Line] = {
    "before_enrolment": _line(
        Fault.TIME,
        "the record %(name)s says it was made %(at)s, before the box was enrolled (%(limit)s)",
        "记录 %(name)s 自称生成于 %(at)s，早于设备注册（%(limit)s）",
    ),
    "after_receipt": _line(
        Fault.TIME,
        "the record %(name)s says it was made %(at)s, after the centre received it (%(limit)s)",
        "记录 %(name)s 自称生成于 %(at)s，晚于中心接收（%(limit)s）",
    ),
    "seen_after_made": _line(
        Fault.TIME,
        "the record %(name)s tells of %(at)s, after it was made (%(limit)s)",
        "记录 %(name)s 所述时间 %(at)s 晚于其生成时间（%(limit)s）",
    ),
    "received_after_seal": _line(
        Fault.TIME,
        "the record %(name)s was received %(at)s, after the bundle was sealed (%(limit)s)",
        "记录 %(name)s 接收于 %(at)s，晚于证据包封存（%(limit)s）",
    ),
    "shows_elsewhere": _line(
        Fault.TIME,
        "the %(role)s %(sha256)s shows what was at %(found)s, the incident was at %(wanted)s",
        "%(role)s %(sha256)s 所示时间为 %(found)s，而事件发生在 %(wanted)s",
    ),
}

_LOGS: Mapping[str, _Line] = {
    "log_missing": _line(
        Fault.MISSING,
        "the proofs from the centre's log are missing: the centre makes no bundle without them (--without-log checks "
        "the rest)",
        "缺少中心日志的证明：中心制作的证据包都带有证明（--without-log 仅核对其余部分）",
    ),
    "log_of_nothing": _line(
        Fault.MISSING,
        "of no record of the case is there a proof from the centre's log",
        "本案没有任何一条记录带有中心日志的证明",
    ),
    "log_unreadable": _line(Fault.LOG, "%(name)s cannot be read: %(reason)s", "无法读取 %(name)s：%(reason)s"),
    "log_stranger": _line(
        Fault.WRONG_KEY,
        "the log's head is signed by no key of your file: %(reason)s",
        "日志树头的签名不属于您密钥文件中的任何密钥：%(reason)s",
    ),
    "log_proof": _line(
        Fault.LOG,
        "the log does not hold the record %(name)s: %(reason)s",
        "日志中并无记录 %(name)s：%(reason)s",
    ),
    "log_recording": _line(
        Fault.LOG,
        "the log does not hold the recording %(sha256)s as it is sealed here: %(reason)s",
        "日志中并无如此封存的录音录像 %(sha256)s：%(reason)s",
    ),
    "log_lacks_recording": _line(
        Fault.LOG,
        "the log's proof for the recording %(sha256)s is missing",
        "缺少录音录像 %(sha256)s 的日志证明",
    ),
    "log_lacks": _line(
        Fault.LOG,
        "the log's proof for the record %(name)s is missing",
        "缺少记录 %(name)s 的日志证明",
    ),
}

_REMARKS: Mapping[str, _Line] = {
    "clock_not_set": _line(
        None,
        "the clock of %(device)s was not set when it made %(count)s of the records: they count from their receipt",
        "%(device)s 生成其中 %(count)s 条记录时时钟未校准：以接收时间为准",
    ),
    "odd_time_told": _line(
        None,
        "the record %(name)s tells of a time that cannot be (made %(at)s); the seal says so: it counts from its "
        "receipt, %(limit)s",
        "记录 %(name)s 所述时间不可能（自称生成于 %(at)s）；封印已注明：以接收时间 %(limit)s 为准",
    ),
    "clock_unknown": _line(
        None,
        "%(device)s could not tell whether its clock was set when it made %(count)s of the records",
        "%(device)s 生成其中 %(count)s 条记录时无法判断时钟是否校准",
    ),
    "gap_told": _line(
        None,
        "the records %(first)s to %(last)s of %(device)s are not here; the seal says so",
        "%(device)s 的第 %(first)s 至 %(last)s 条记录不在包内；封印已注明",
    ),
    "fork_told": _line(
        None,
        "two boxes wrote into the journal of %(device)s; the seal says so",
        "有两台设备写入了 %(device)s 的日志；封印已注明",
    ),
    "revisions_told": _line(
        None,
        "of the revisions %(first)s to %(last)s of incident %(incident)s no record ever came; the seal says so",
        "事件 %(incident)s 的第 %(first)s 至 %(last)s 版从未到达中心；封印已注明",
    ),
    "rivals": _line(
        None,
        "there are rival records: %(count)s revisions of incident %(incident)s, the first of them %(first)s, are told "
        "by several records that differ; somebody else may speak with the key of %(device)s, and no record says which "
        "is right",
        "存在相互矛盾的记录：事件 %(incident)s 有 %(count)s 个版本（最早为第 %(first)s 版）由多条不同的记录陈述；"
        "可能有他人使用 %(device)s 的密钥，任何记录都不能说明哪一条属实",
    ),
    "several_journals": _line(
        None,
        "incident %(incident)s is told of in %(count)s journals of %(device)s: it began a journal anew, or there are "
        "two of it",
        "%(device)s 的 %(count)s 份日志都记述了事件 %(incident)s：设备曾重新开始日志，或存在两台相同身份的设备",
    ),
    "file_absent": _line(
        None,
        "the %(role)s %(sha256)s was announced by the box; the centre did not have it when it made the bundle",
        "设备声明过的%(role)s %(sha256)s 在制作证据包时不在中心",
    ),
    "added_by_officers": _line(
        None,
        "%(count)s recordings were added by officers: the centre vouches for their bytes since then, no box does",
        "有 %(count)s 份录音录像由执法人员添加：中心仅保证其自添加时起未变，没有设备为其背书",
    ),
    "unread_context": _line(
        None,
        "a record between those of the incident is of a type that this version does not know: %(name)s",
        "事件记录之间有一条本版本不认识的记录：%(name)s",
    ),
    "no_log": _line(
        None,
        "the bundle holds no proof from the centre's log; you asked not to look for one",
        "证据包内没有中心日志的证明；您已要求不核对",
    ),
    "no_log_key": _line(
        None,
        "your file of keys names no key of the log: its proofs were not checked",
        "您的密钥文件没有日志密钥：未核对日志证明",
    ),
    "log_waits": _line(
        None,
        "%(count)s records were not yet in the log when the bundle was made; the seal says so",
        "制作证据包时有 %(count)s 条记录尚未进入日志；封印已注明",
    ),
    "log_waits_for_recordings": _line(
        None,
        "%(count)s recordings were not yet in the log when the bundle was made; the seal says so",
        "制作证据包时有 %(count)s 份录音录像尚未进入日志；封印已注明",
    ),
    "still_open": _line(
        None,
        "the incident %(incident)s was still going on when the bundle was made",
        "制作证据包时事件 %(incident)s 尚未结束",
    ),
}

LINES: Mapping[str, _Line] = MappingProxyType(
    {**_FORM, **_SEAL, **_MEMBERS, **_RECORDS, **_INCIDENTS, **_DERIVATIVES, **_TIMES, **_LOGS, **_REMARKS}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about a bundle: a fault, or a remark where `fault` is None. `code` is a key of `LINES`."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def fault(self) -> Fault | None:
        """What is the matter; None for a remark, which rejects nothing."""
        return LINES[self.code].fault

    def say(self, language: str) -> str:
        """The line: Chinese for any `zh…` tag, English otherwise. What a file says cannot steer a terminal."""
        values = {name: _printable(str(value)) for name, value in self.values.items()}
        return LINES[self.code].words.in_language(language) % values


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
