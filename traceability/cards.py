"""LeafCard 茶青卡: the card a grower swipes when fresh leaf is sold, its dated states, and the sales themselves."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from traceability.periods import Dated, succeed
from traceability.records import Base, Identified


class CardState(StrEnum):
    """A card buys and sells only while active."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOST = "lost"
    CLOSED = "closed"


class LeafCard(Identified, Base):
    """茶青卡: one card of one grower; `number` is printed on it and shown masked."""

    __tablename__ = "leaf_card"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "party_id"], ["party.tenant", "party.id"]),
        UniqueConstraint("tenant", "number"),
        Index(None, "tenant", "party_id"),
    )

    number: Mapped[str] = mapped_column(String(32))
    party_id: Mapped[str] = mapped_column(String(128))


class LeafCardEntry(Dated, Base):
    """The state of a card for a period, with the reason and author of the change."""

    __tablename__ = "leaf_card_entry"

    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str]
    author: Mapped[str]

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        """The card must exist."""
        return (ForeignKeyConstraint(["tenant", "id"], ["leaf_card.tenant", "leaf_card.id"]),)


class LeafSale(Identified, Base):
    """Fresh leaf sold with a card: from whom to whom, from which plot, picked when, how much, at what price."""

    __tablename__ = "leaf_sale"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "card_id"], ["leaf_card.tenant", "leaf_card.id"]),
        ForeignKeyConstraint(["tenant", "seller_id"], ["party.tenant", "party.id"]),
        ForeignKeyConstraint(["tenant", "buyer_id"], ["party.tenant", "party.id"]),
        ForeignKeyConstraint(["tenant", "plot_id"], ["plot.tenant", "plot.id"]),
        CheckConstraint("leaf_g > 0", name="leaf_is_positive"),
        Index(None, "tenant", "plot_id", "picked_on"),
    )

    card_id: Mapped[str] = mapped_column(String(128))
    seller_id: Mapped[str] = mapped_column(String(128))
    buyer_id: Mapped[str] = mapped_column(String(128))
    plot_id: Mapped[str] = mapped_column(String(128))
    picked_on: Mapped[date]
    sold_at: Mapped[datetime]
    grade_zh: Mapped[str]
    grade_en: Mapped[str]
    leaf_g: Mapped[int] = mapped_column(BigInteger)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    organic_state: Mapped[str] = mapped_column(String(32))
    market_zh: Mapped[str]
    market_en: Mapped[str]
    scale: Mapped[str]
    conformity_certificate: Mapped[str | None]  # 承诺达标合格证


def replace_card_state(
    session: Session, *, tenant: str, card_id: str, state: CardState, reason: str, author: str, at: datetime
) -> LeafCardEntry:
    """A card suspended, lost, replaced or active again from `at` on; the reason and its author stay on record.

    Raises:
        BadPeriod: a later state exists already.
    """
    return succeed(
        session,
        LeafCardEntry(tenant=tenant, id=card_id, valid_from=at, state=state.value, reason=reason, author=author),
    )


def masked(number: str) -> str:
    """A card number as the public may see it: the last four characters.

    >>> masked("CQK2026000187")
    '•••••••••0187'
    """
    return "•" * (len(number) - 4) + number[-4:] if len(number) > 4 else "•" * len(number)  # noqa: PLR2004 - as shown
