"""The log's tables. Leaves, nodes and heads are never changed or deleted; openings may be deleted, never changed."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from alerts.leaves import Leaf, LeafKind, Opening
from traceability.append_only import ERASABLE, guard
from traceability.records import Base, OfTenant


class LogLeaf(OfTenant, Base):
    """A leaf, counted from 0 without a gap: nothing in it names anybody (see `alerts.leaves`)."""

    __tablename__ = "log_leaf"
    __table_args__ = (Index(None, "tenant", "hash"), Index(None, "tenant", "at"))

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    commitment: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def leaf(self) -> Leaf:
        """The public line of the log. Raises ValueError for a kind that was never entered."""
        return Leaf(LeafKind(self.kind), self.at, self.commitment)


class LogNode(OfTenant, Base):
    """The hash of a complete subtree, kept on every fourth level: what lies between is computed from at most 8."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LogHead(OfTenant, Base):
    """The right-hand edge of the tree; whoever appends holds this row, so that numbers have no gap."""

    __tablename__ = "log_head"

    size: Mapped[int] = mapped_column(BigInteger)
    peaks: Mapped[bytes] = mapped_column(LargeBinary)


class LogOpening(OfTenant, Base):
    """What a leaf means: salt and body. Deleting it leaves the log whole and the leaf silent.

    `reference` names the row that the leaf is about, in the form its kind uses; `person` is the pseudonym of whom it
    names, empty where nobody.
    """

    __tablename__ = "log_opening"
    __table_args__ = (
        Index(None, "tenant", "kind", "reference"),
        Index(None, "tenant", "person"),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str]
    person: Mapped[str] = mapped_column(String(32))
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def opening(self) -> Opening:
        """As whoever checks it needs it."""
        return Opening(self.salt, self.body)


class LogCheckpoint(OfTenant, Base):
    """A signed head that was published."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    text: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(index=True)


class LogTimestamp(OfTenant, Base):
    """What a time-stamping authority said of a published head (RFC 3161): its whole answer, in DER, and its hash.

    Authorities tell whole seconds: several stamps of a head may say the same.
    """

    __tablename__ = "log_timestamp"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    stamped_at: Mapped[datetime]
    url: Mapped[str]
    response: Mapped[bytes] = mapped_column(LargeBinary)


class Pseudonym(OfTenant, Base):
    """The random name under which somebody or something stands in the log; deleting the row cuts the only thread."""

    __tablename__ = "pseudonym"
    __table_args__ = (UniqueConstraint("tenant", "pseudonym"),)

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(String(128), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(32))


for _table in (LogLeaf, LogNode, LogCheckpoint, LogTimestamp):
    guard(_table.metadata.tables[_table.__tablename__])
guard(LogOpening.metadata.tables[LogOpening.__tablename__], ERASABLE)
