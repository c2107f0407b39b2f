"""Who acts: a user with the role that counts for this act."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles that mean something here; `system` writes what nobody did by hand."""

    OFFICER = "officer"
    HEAD = "head"
    TECHNICIAN = "technician"
    LEGAL_REVIEWER = "legal"
    TECHNICAL_REVIEWER = "technical"
    PUBLIC = "public"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A user id and the role they act in."""

    user_id: str
    role: Role


SYSTEM = Actor("system", Role.SYSTEM)
