"""What can go wrong with leads, tasks and findings, and what a web page should answer.

EnforcementError
├── Conflict            409: nothing was changed
│   ├── IllegalMove     the state does not allow this move
│   ├── SamePerson      two different persons are needed for this
│   ├── NotEvidence     a lead that no legal and technical review has passed; no penalty may rest on it
│   └── StaleTask       somebody else moved the task in the meantime
├── NotAllowed          403: the role may not do this
├── NoteMissing         422: the move needs a reason in words
├── NotAnOfficer        422: nobody of this name handles tasks
├── PersonalData        422: words for the public that may name a person
├── Unknown             404: no such task, lead or finding
└── NoWorkingTime       the office hours on record leave no time to work
"""


class EnforcementError(Exception):
    """Base of everything this package raises on purpose."""


class Conflict(EnforcementError):
    """The wish contradicts what stands; nothing was changed."""


class IllegalMove(Conflict):
    """The state does not allow this move."""


class SamePerson(Conflict):
    """Two different persons are needed for this."""


class NotEvidence(Conflict):
    """A lead that no legal and no technical review has passed: no penalty may rest on it.

    `lacks` says why, in the words of `reviews.Lack`.
    """

    def __init__(self, message: str, lacks: tuple[str, ...]) -> None:
        super().__init__(message)
        self.lacks = lacks


class StaleTask(Conflict):
    """The task or finding moved on since the reader saw it."""


class NotAllowed(EnforcementError):
    """The role may not do this."""


class NoteMissing(EnforcementError, ValueError):
    """The move needs a reason in words."""


class NotAnOfficer(EnforcementError, ValueError):
    """Nobody of this name may handle tasks."""


class PersonalData(EnforcementError, ValueError):
    """Words for the public hold a number that may be a person's."""


class Unknown(EnforcementError, LookupError):
    """No such task, lead or finding."""


class NoWorkingTime(EnforcementError, ValueError):
    """The office hours on record leave no time to work."""
