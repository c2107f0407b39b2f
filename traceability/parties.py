"""Who grows, makes and trades: parties (主体), known by a code and a pseudonym, never by an identity number."""

from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from traceability.records import Base, Identified


class Role(StrEnum):
    """What a party does in the tea trade."""

    GROWER = "grower"
    ENTERPRISE = "enterprise"
    CO_OPERATIVE = "co_operative"
    MERCHANT = "merchant"


class CodeColour(StrEnum):
    """The colour an agricultural code is shown in; anything but green has a reason."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Party(Identified, Base):
    """A grower, enterprise, co-operative or merchant. Names, phones and identity numbers are kept elsewhere."""

    __tablename__ = "party"

    role: Mapped[str] = mapped_column(String(32))
    pseudonym: Mapped[str]
    pseudonym_en: Mapped[str]
    farm_code: Mapped[str] = mapped_column(String(64))  # 农码
    code_colour: Mapped[str] = mapped_column(String(16), default=CodeColour.GREEN.value)
    code_reason: Mapped[str] = mapped_column(default="")
