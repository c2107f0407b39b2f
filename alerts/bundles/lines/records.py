"""What can be said of the records in a bundle, of the chain they make and of the incident they tell."""

from collections.abc import Mapping
from typing import Final

from alerts.bundles.faults import Fault, Line, line

RECORDS: Final[Mapping[str, Line]] = {
    "record_unreadable": line(
        Fault.ALTERED, "the record %(name)s cannot be read: %(reason)s", "无法读取记录 %(name)s：%(reason)s"
    ),
    "record_signature": line(
        Fault.ALTERED,
        "the record %(name)s is not what the box signed: %(reason)s",
        "记录 %(name)s 与设备签名的内容不同：%(reason)s",
    ),
    "record_stranger": line(
        Fault.WRONG_KEY,
        "the record %(name)s is signed with the key %(key)s, which your file of keys does not know",
        "记录 %(name)s 使用的密钥 %(key)s 不在您的密钥文件中",
    ),
    "record_of_another": line(
        Fault.SWAPPED,
        "the record %(name)s speaks for %(says)s but is signed with a key of %(owner)s",
        "记录 %(name)s 声称来自 %(says)s，却由 %(owner)s 的密钥签名",
    ),
    "record_past_trust": line(
        Fault.WRONG_KEY,
        "the record %(name)s is signed with the key %(key)s beyond the place up to which that key is trusted",
        "记录 %(name)s 的签名密钥 %(key)s 在该位置已不可信",
    ),
    "record_distrusted": line(
        Fault.WRONG_KEY,
        "the centre itself trusts the record %(name)s no more: of the key that signed it, records up to %(last)s only",
        "中心自己已不再信任记录 %(name)s：签署它的密钥仅在第 %(last)s 条及之前可信",
    ),
    "record_misplaced": line(
        Fault.REORDERED,
        "%(name)s holds the record of another place: %(found)s",
        "%(name)s 中是另一位置的记录：%(found)s",
    ),
    "record_unlisted": line(
        Fault.SPLICED, "the seal does not say when %(name)s was received", "封印未注明 %(name)s 的接收时间"
    ),
    "record_lost": line(
        Fault.MISSING,
        "record %(sequence)s of %(device)s is named by the seal and is not here",
        "封印提到 %(device)s 的第 %(sequence)s 条记录，但它不在包内",
    ),
    "unread_context": line(
        None,
        "a record between those of the incident is of a type that this version does not know: %(name)s",
        "事件记录之间有一条本版本不认识的记录：%(name)s",
    ),
}

CHAIN: Final[Mapping[str, Line]] = {
    "chain_broken": line(
        Fault.SPLICED,
        "the journal of %(device)s was spliced: record %(sequence)s does not follow the one before it",
        "%(device)s 的日志被拼接：第 %(sequence)s 条记录与前一条不衔接",
    ),
    "chain_gap": line(
        Fault.SPLICED,
        "the journal of %(device)s lacks the records %(first)s to %(last)s, and the seal does not say so",
        "%(device)s 的日志缺少第 %(first)s 至 %(last)s 条记录，封印却未注明",
        one=(
            "the journal of %(device)s lacks the record %(first)s, and the seal does not say so",
            "%(device)s 的日志缺少第 %(first)s 条记录，封印却未注明",
        ),
    ),
    "chain_fork": line(
        Fault.SPLICED,
        "the journal of %(device)s has several records %(sequence)s, and the seal does not say so",
        "%(device)s 的日志有多条第 %(sequence)s 号记录，封印却未注明",
    ),
    "gap_told": line(
        None,
        "the records %(first)s to %(last)s of %(device)s are not here; the seal says so",
        "%(device)s 的第 %(first)s 至 %(last)s 条记录不在包内；封印已注明",
        one=(
            "the record %(first)s of %(device)s is not here; the seal says so",
            "%(device)s 的第 %(first)s 条记录不在包内；封印已注明",
        ),
    ),
    "fork_told": line(
        None,
        "two boxes wrote into the journal of %(device)s; the seal says so",
        "有两台设备写入了 %(device)s 的日志；封印已注明",
    ),
}

INCIDENTS: Final[Mapping[str, Line]] = {
    "no_incident": line(Fault.MISSING, "the seal names no incident", "封印未写明任何事件"),
    "case_mismatch": line(
        Fault.SWAPPED,
        "the incident %(incident)s of %(device)s does not belong to case %(case)s",
        "%(device)s 的事件 %(incident)s 不属于案件 %(case)s",
    ),
    "record_foreign": line(
        Fault.SWAPPED,
        "the record %(name)s is of a box that this case has nothing to do with",
        "记录 %(name)s 来自与本案无关的设备",
    ),
    "end_missing": line(
        Fault.CUT,
        "revision %(revision)s of incident %(incident)s, sealed as the last, is not here",
        "封印所记事件 %(incident)s 的最后一版（第 %(revision)s 版）不在包内",
    ),
    "beyond_end": line(
        Fault.SPLICED,
        "incident %(incident)s has a revision %(found)s here, the seal ends with %(revision)s",
        "事件 %(incident)s 有第 %(found)s 版，而封印止于第 %(revision)s 版",
    ),
    "revisions_missing": line(
        Fault.MISSING,
        "the revisions %(first)s to %(last)s of incident %(incident)s are missing, and the seal does not say so",
        "事件 %(incident)s 缺少第 %(first)s 至 %(last)s 版，封印却未注明",
        one=(
            "the revision %(first)s of incident %(incident)s is missing, and the seal does not say so",
            "事件 %(incident)s 缺少第 %(first)s 版，封印却未注明",
        ),
    ),
    "revisions_told": line(
        None,
        "of the revisions %(first)s to %(last)s of incident %(incident)s no record ever came; the seal says so",
        "事件 %(incident)s 的第 %(first)s 至 %(last)s 版从未到达中心；封印已注明",
        one=(
            "of the revision %(first)s of incident %(incident)s no record ever came; the seal says so",
            "事件 %(incident)s 的第 %(first)s 版从未到达中心；封印已注明",
        ),
    ),
    "rivals": line(
        None,
        "there are rival records: %(count)s revisions of incident %(incident)s, the first of them %(first)s, are told "
        "by several records that differ; somebody else may speak with the key of %(device)s, and no record says which "
        "is right",
        "存在相互矛盾的记录：事件 %(incident)s 有 %(count)s 个版本（最早为第 %(first)s 版）由多条不同的记录陈述；"
        "可能有他人使用 %(device)s 的密钥，任何记录都不能说明哪一条属实",
    ),
    "several_journals": line(
        None,
        "incident %(incident)s is told of in %(count)s journals of %(device)s: it began a journal anew, or there are "
        "two of it",
        "%(device)s 的 %(count)s 份日志都记述了事件 %(incident)s：设备曾重新开始日志，或存在两台相同身份的设备",
    ),
    "still_open": line(
        None,
        "the incident %(incident)s was still going on when the bundle was made",
        "制作证据包时事件 %(incident)s 尚未结束",
    ),
}
