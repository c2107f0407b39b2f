"""What can be said of the proofs from the centre's log in a bundle."""

from collections.abc import Mapping
from typing import Final

from alerts.bundles.faults import Fault, Line, line

HEAD: Final[Mapping[str, Line]] = {
    "log_missing": line(
        Fault.MISSING,
        "the proofs from the centre's log are missing: the centre makes no bundle without them (--without-log checks "
        "the rest)",
        "缺少中心日志的证明：中心制作的证据包都带有证明（--without-log 仅核对其余部分）",
    ),
    "no_log": line(
        None,
        "the bundle holds no proof from the centre's log; you asked not to look for one",
        "证据包内没有中心日志的证明；您已要求不核对",
    ),
    "log_key_missing": line(
        Fault.WRONG_KEY,
        "your file of keys names no key of the log, so its proofs cannot be checked (--without-log checks the rest)",
        "您的密钥文件没有日志密钥，无法核对日志证明（--without-log 仅核对其余部分）",
    ),
    "no_log_key": line(
        None,
        "your file of keys names no key of the log: its proofs were not checked",
        "您的密钥文件没有日志密钥：未核对日志证明",
    ),
    "log_of_nothing": line(
        Fault.MISSING,
        "of no record of the case is there a proof from the centre's log",
        "本案没有任何一条记录带有中心日志的证明",
    ),
    "log_unreadable": line(Fault.LOG, "%(name)s cannot be read: %(reason)s", "无法读取 %(name)s：%(reason)s"),
    "log_stranger": line(
        Fault.WRONG_KEY,
        "the log's head is signed by no key of your file: %(reason)s",
        "日志树头的签名不属于您密钥文件中的任何密钥：%(reason)s",
    ),
}

STAMPS: Final[Mapping[str, Line]] = {
    "stamp_lost": line(
        Fault.MISSING,
        "the seal tells of a time-stamp by %(authority)s, and it is not here",
        "封印提到 %(authority)s 的时间戳，但它不在包内",
    ),
    "stamp_elsewhere": line(
        Fault.LOG,
        "what was time-stamped is no earlier head of this log: %(reason)s",
        "加盖时间戳的不是本日志较早的树头：%(reason)s",
    ),
    "stamp_bad": line(Fault.LOG, "the time-stamp is not good: %(reason)s", "时间戳不成立：%(reason)s"),
    "received_after_stamp": line(
        Fault.TIME,
        "the record %(name)s is said to have been received %(at)s, but the log held it when it was stamped (%(limit)s)",
        "记录 %(name)s 自称接收于 %(at)s，但加盖时间戳时（%(limit)s）日志中已有它",
    ),
    "stamp_none": line(
        None,
        "the bundle holds no time-stamp: no head of the log that tells of the case had been stamped when it was made",
        "证据包内没有时间戳：制作时，涵盖本案的日志树头尚未加盖时间戳",
    ),
    "stamp_unchecked": line(
        None,
        "by the centre's word %(authority)s stamped the log's head of %(size)s leaves at %(at)s, and %(count)s records "
        "of the case were in it; to check that, give the authority's root certificates (--stamp-roots)",
        "据中心所述，%(authority)s 于 %(at)s 对日志前 %(size)s 条的树头加盖了时间戳，其中有本案 %(count)s 条记录；"
        "如需核对，请提供该机构的根证书（--stamp-roots）",
    ),
    "stamp_holds": line(
        None,
        "an outside authority (%(authority)s) stamped the log's head of %(size)s leaves at %(at)s: %(count)s records "
        "of the case were in it by then, whatever the centre says",
        "外部机构（%(authority)s）于 %(at)s 对日志前 %(size)s 条的树头加盖了时间戳：本案 %(count)s 条记录"
        "当时已在其中，与中心的说法无关",
    ),
}

PROOFS: Final[Mapping[str, Line]] = {
    "log_proof": line(
        Fault.LOG,
        "the log does not hold the record %(name)s: %(reason)s",
        "日志中并无记录 %(name)s：%(reason)s",
    ),
    "log_lacks": line(
        Fault.LOG,
        "the log's proof for the record %(name)s is missing",
        "缺少记录 %(name)s 的日志证明",
    ),
    "log_waits": line(
        None,
        "%(count)s records were not yet in the log when the bundle was made; the seal says so",
        "制作证据包时有 %(count)s 条记录尚未进入日志；封印已注明",
    ),
    "log_recording": line(
        Fault.LOG,
        "the log does not hold the recording %(sha256)s as it is sealed here: %(reason)s",
        "日志中并无如此封存的录音录像 %(sha256)s：%(reason)s",
    ),
    "log_lacks_recording": line(
        Fault.LOG,
        "the log's proof for the recording %(sha256)s is missing",
        "缺少录音录像 %(sha256)s 的日志证明",
    ),
    "log_waits_for_recordings": line(
        None,
        "%(count)s recordings were not yet in the log when the bundle was made; the seal says so",
        "制作证据包时有 %(count)s 份录音录像尚未进入日志；封印已注明",
    ),
    "log_derivative": line(
        Fault.LOG,
        "the log does not hold the redacted copy %(sha256)s as it is sealed here: %(reason)s",
        "日志中并无如此封存的脱敏副本 %(sha256)s：%(reason)s",
    ),
    "log_lacks_derivative": line(
        Fault.LOG,
        "the log's proof for the redacted copy %(sha256)s is missing",
        "缺少脱敏副本 %(sha256)s 的日志证明",
    ),
    "log_waits_for_derivatives": line(
        None,
        "%(count)s redacted copies were not yet in the log when the bundle was made; the seal says so",
        "制作证据包时有 %(count)s 份脱敏副本尚未进入日志；封印已注明",
    ),
}
