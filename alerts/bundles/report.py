"""What came of checking a bundle: each thing that was checked, the faults that were found, and remarks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from alerts.bundles.findings import Finding
from alerts.bundles.seal import IncidentEnd
from alerts.catalogue import Words
from alerts.messages import Phase


class Check(StrEnum):
    """What is checked, in the order in which it is."""

    FORM = "form"
    SEAL = "seal"
    MEMBERS = "members"
    RECORDS = "records"
    CHAIN = "chain"
    INCIDENTS = "incidents"
    FILES = "files"
    TIMES = "times"
    LOG = "log"


CHECKS: Mapping[Check, Words] = MappingProxyType(
    {
        Check.FORM: Words("文件是中心所写的唯一形式", "the file has the one form that the centre writes"),
        Check.SEAL: Words("中心的封印由您信任的密钥签署", "the centre's seal is signed with a key you trust"),
        Check.MEMBERS: Words(
            "所有成员与封存时一致，无缺失、无添加", "every member is what was sealed, none is missing, none was added"
        ),
        Check.RECORDS: Words(
            "每条记录由其设备的可信密钥签署", "every record is signed with a trusted key of the box it speaks for"
        ),
        Check.CHAIN: Words("记录首尾相连，未被拼接", "the records follow each other and nothing was spliced in or out"),
        Check.INCIDENTS: Words(
            "事件完整，直至封印所记的最后一版", "the incident is whole, up to the last revision that was sealed"
        ),
        Check.FILES: Words(
            "图片和片段正是设备所声明的文件", "pictures and clips are the very files that the box announced"
        ),
        Check.TIMES: Words("各时间彼此相容", "the times are possible"),
        Check.LOG: Words(
            "记录和添加的录音录像在中心的公开日志中",
            "the records, and recordings that were added, are in the centre's log",
        ),
    }
)

COLON = Words("：", ": ")
HOLDS = Words("成立", "holds")
FAILS = Words("不成立", "DOES NOT HOLD")
OPEN = Words("未核对", "not checked")
GOOD = Words("证据包完好。", "The bundle holds.")
BAD = Words("证据包不成立。", "The bundle does not hold.")
ABOUT: Mapping[str, Words] = MappingProxyType(
    {
        "case": Words("案件：%(case)s", "Case: %(case)s"),
        "sealed": Words("封存时间：%(at)s", "Sealed: %(at)s"),
        "end": Words(
            "事件 %(incident)s 的最后一版：第 %(revision)s 版（%(phase)s）",
            "Last revision of incident %(incident)s: %(revision)s (%(phase)s)",
        ),
        "key": Words("中心密钥的指纹：%(key)s", "Fingerprint of the centre's key: %(key)s"),
    }
)
PHASES: Mapping[Phase, Words] = MappingProxyType(
    {
        Phase.OPENED: Words("开始", "opened"),
        Phase.UPDATED: Words("进行中", "going on"),
        Phase.CLOSED: Words("已结束", "closed"),
    }
)
UNSEALED = Words(
    "没有可信的封印：无法说明这是哪个案件", "No seal that can be trusted: nothing says of which case this is"
)
REMARKS = Words("说明：", "To be known:")


@dataclass
class Report:
    """Filled while a bundle is checked. `case`, `sealed_at`, `key_id` and `ends` come from a seal that holds."""

    case: str = ""
    sealed_at: datetime | None = None
    key_id: str = ""
    ends: tuple[IncidentEnd, ...] = ()
    made: list[Check] = field(default_factory=list)
    findings: list[tuple[Check, Finding]] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether no fault was found."""
        return not self.findings

    @property
    def exit_status(self) -> int:
        """What the command ends with."""
        return 0 if self.holds else 1

    def note(self, check: Check, findings: Sequence[Finding]) -> None:
        """Write down that this was checked and what was found."""
        self.made.append(check)
        self.findings += [(check, each) for each in findings if each.fault is not None]
        self.remark(findings)

    def remark(self, findings: Sequence[Finding]) -> None:
        """Write down what is to be known and is no fault."""
        self.remarks += [each for each in findings if each.fault is None]

    def verdict(self, check: Check) -> bool | None:
        """Whether that check holds; None where it was not made."""
        if any(found is check for found, _ in self.findings):
            return False
        return True if check in self.made else None

    def lines(self, language: str) -> list[str]:
        """The report for people; first what they must compare with what they were told: which case, and up to when."""
        said = self._about(language)
        for check in Check:
            verdict = self.verdict(check)
            mark = OPEN if verdict is None else HOLDS if verdict else FAILS
            said.append(
                f"{mark.in_language(language)}{COLON.in_language(language)}{CHECKS[check].in_language(language)}"
            )
            said += [f"    {each.say(language)}" for found, each in self.findings if found is check]
        if self.remarks:
            said += [REMARKS.in_language(language), *(f"    {each.say(language)}" for each in self.remarks)]
        return [*said, (GOOD if self.holds else BAD).in_language(language)]

    def _about(self, language: str) -> list[str]:
        if self.sealed_at is None:
            return [UNSEALED.in_language(language)]
        told: list[tuple[str, dict[str, object]]] = [
            ("case", {"case": self.case}),
            ("sealed", {"at": f"{self.sealed_at:%Y-%m-%d %H:%M:%S} UTC"}),
        ]
        for end in self.ends:
            phase = PHASES[end.phase].in_language(language)
            told.append(("end", {"incident": end.incident, "revision": end.revision, "phase": phase}))
        told.append(("key", {"key": self.key_id}))
        return [ABOUT[name].in_language(language) % values for name, values in told]

    def facts(self, language: str) -> dict[str, object]:
        """The report for programs."""
        return {
            "holds": self.holds,
            "case": self.case,
            "sealed_at": self.sealed_at.isoformat() if self.sealed_at else None,
            "centre_key": self.key_id,
            "ends": [
                {"incident": end.incident, "revision": end.revision, "phase": end.phase.value} for end in self.ends
            ],
            "checks": {check.value: self.verdict(check) for check in Check},
            "findings": [
                {"check": check.value, "fault": each.fault, "code": each.code, "said": each.say(language)}
                for check, each in self.findings
            ],
            "remarks": [{"code": each.code, "said": each.say(language)} for each in self.remarks],
        }
