"""Which deadline of a task counts in its present state."""

from datetime import datetime

from center.words import Language
from enforcement.task_records import Task
from enforcement.transitions import State


def deadline(language: Language, task: Task) -> tuple[datetime | None, str]:
    """The moment, and what must be done by then; None where nothing is pending or no policy was in force."""
    if task.state == State.OPENED:
        return task.acknowledge_by, language.gettext("Acknowledgement due")
    if task.state in (State.ACKNOWLEDGED, State.STARTED):
        return task.finish_by, language.gettext("Remedy due")
    return None, ""
