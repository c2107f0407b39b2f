"""What the JSON routes answer: typed, so that /openapi.json says everything. Measures carry their unit in the name."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from center.evidence.files import Announced
from enforcement.distrust import DistrustedRecord
from enforcement.findings import Finding
from enforcement.holds import HoldEvent
from enforcement.leads import Lead, LeadLink
from enforcement.task_records import Task, TaskEvent


class Answer(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(from_attributes=True)


class FileOut(Answer):
    """A file of evidence. Its bytes are at `url` from `arrived_at` until `deleted_at`.

    `deleted_rule` names the rule of retention and its days, `picture:730`. `falls_short` says why a clip shows less
    than it was to.
    """

    sha256: str
    size_bytes: int
    media_type: str
    role: str
    derived_from: str | None
    announced_at: datetime
    arrived_at: datetime | None
    deleted_at: datetime | None
    deleted_rule: str
    falls_short: list[str]
    url: str

    @classmethod
    def of(cls, row: Announced) -> "FileOut":
        """From the register of announced files."""
        values = {name: getattr(row, name) for name in cls.model_fields if name != "url"}
        return cls(**values, url=f"/api/v1/evidence/{row.sha256}")


class LinkOut(Answer):
    """What a lead concerns, and why: `reason_key` with its parameters."""

    target_kind: str
    target_id: str
    name_zh: str
    name_en: str
    reason_key: str
    params: dict[str, Any]

    @classmethod
    def of(cls, row: LeadLink) -> "LinkOut":
        """From the lead's links."""
        return cls.model_validate(row)


class LeadOut(Answer):
    """A lead (线索): a reason to look, no evidence yet.

    Where `box_opened_at` and `box_observed_at` stand, they are what the box wrote, which cannot be or nothing
    kept right: `opened_at` and `observed_at` are then the centre's, and `time_source` says on whose word: `boot` (a
    time server set the box's clock later in the same boot), `centre` (box and centre heard of each other in it),
    `arrival` (nothing is known but when the record came). `box`: they are the box's own.
    """

    id: str
    device: str
    incident: str
    revision: int
    phase: str
    kind: str
    rule: str
    camera: str
    zone: str
    opened_at: datetime
    observed_at: datetime
    closed_at: datetime | None
    received_at: datetime
    footage: str
    clock: str
    box_opened_at: datetime | None
    box_observed_at: datetime | None
    time_source: str

    @classmethod
    def of(cls, row: Lead) -> "LeadOut":
        """From the lead's row."""
        return cls.model_validate(row)


class HoldOut(Answer):
    """A lead was put under legal hold (`holds`) or released from it: by whom, when, why."""

    number: int
    at: datetime
    by_user: str
    by_role: str
    holds: bool
    reason: str

    @classmethod
    def of(cls, row: HoldEvent) -> "HoldOut":
        """From the register of holds."""
        return cls.model_validate(row)


class DistrustOut(Answer):
    """A record that a lead rests on and that lies beyond `last`, the last trusted of its journal and key."""

    record_sha256: str
    epoch: str
    sequence: int
    last: int
    key_id: str
    noted_at: datetime

    @classmethod
    def of(cls, row: DistrustedRecord) -> "DistrustOut":
        """From the register of such records."""
        return cls.model_validate(row)


class LeadDetail(LeadOut):
    """Everything about one lead: why the rule fired, what it concerns, its files, holds and task.

    `standing` is what it is by now: lead, under_review, evidence, rejected; distrusted where a record of it is.
    """

    stream_ms: int
    unobserved_ms: int
    frame_width: int
    frame_height: int
    config_sha256: str
    model_name: str
    model_sha256: str
    record_sha256: str
    because: dict[str, Any]
    objects: list[dict[str, Any]]
    links: list[LinkOut]
    files: list[FileOut]
    holds: list[HoldOut]
    standing: str
    distrusted: list[DistrustOut]
    task_id: str | None


class TaskOut(Answer):
    """A task: check this lead."""

    id: str
    lead_id: str
    kind: str
    state: str
    version: int
    opened_at: datetime
    acknowledge_by: datetime | None
    finish_by: datetime | None
    officer: str | None
    grid_id: str | None
    assignment_reason: str

    @classmethod
    def of(cls, row: Task) -> "TaskOut":
        """From the task's row."""
        return cls.model_validate(row)


class StepOut(Answer):
    """One line of a task's history."""

    number: int
    at: datetime
    by_user: str
    by_role: str
    move: str
    from_state: str
    to_state: str
    note: str

    @classmethod
    def of(cls, row: TaskEvent) -> "StepOut":
        """From the history."""
        return cls.model_validate(row)


class ProposalOut(Answer):
    """A penalty that was proposed and not withdrawn; `lacks` says what it no longer rests on, nothing while it stands.

    Of `lacks` each is legal, technical (that review did not pass the lead as it is now), false_alarm or distrusted.
    """

    by_user: str
    by_role: str
    at: datetime
    reason: str
    stands: bool
    lacks: list[str]


class TaskDetail(TaskOut):
    """A task with its history and what the person asking may do with it now."""

    deadline_clock: str
    deadline_source: str
    calendar_complete: bool
    assignment_params: dict[str, Any]
    history: list[StepOut]
    moves: list[str]
    proposal: ProposalOut | None


class FindingOut(Answer):
    """What a reviewed lead amounts to. Only published ones are shown to shoppers."""

    id: str
    lead_id: str
    task_id: str
    status: str
    language: str
    result: str
    measure: str
    reviewed_by: str
    reviewed_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    revoked_at: datetime | None
    withdraw_by: datetime | None

    @classmethod
    def of(cls, row: Finding) -> "FindingOut":
        """From the finding's row."""
        return cls.model_validate(row)
