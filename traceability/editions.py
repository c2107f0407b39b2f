"""The register's edition, so that what was computed from the register can be kept in memory until it changes.

Each change of a watched table gives the tenant's register another edition, a random name: triggers of the database see
to it, whichever program makes the change. Random, because a number that was rolled back would come again.

Between two moments at which an entry of the register begins or ends, the register stands still; and no local day begins
but at a quarter of an hour. So what follows from the register and an instant is the same for all instants between the
same two moments in the same quarter of an hour, and is computed once for all of them.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import DDL, Engine, Table, bindparam, event, select, union
from sqlalchemy.orm import Mapped, Session

from traceability.periods import Dated
from traceability.records import Base, OfTenant

QUARTER_S: Final = 900
KEPT: Final = 20_000
VERBS: Final = ("insert", "update", "delete")
SQLITE: Final = (
    "CREATE TRIGGER {table}_new_edition_{verb} AFTER {VERB} ON {table} BEGIN"
    " INSERT INTO register_edition (tenant, edition) VALUES ({row}.tenant, hex(randomblob(16)))"
    " ON CONFLICT (tenant) DO UPDATE SET edition = excluded.edition; END"
)
POSTGRESQL_FUNCTION: Final = (
    "CREATE OR REPLACE FUNCTION register_new_edition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO register_edition (tenant, edition)"
    " VALUES (CASE TG_OP WHEN 'DELETE' THEN OLD.tenant ELSE NEW.tenant END, gen_random_uuid()::text)"
    " ON CONFLICT (tenant) DO UPDATE SET edition = EXCLUDED.edition; RETURN NULL; END $$"
)
POSTGRESQL: Final = (
    "CREATE TRIGGER {table}_new_edition_{verb} AFTER {VERB} ON {table}"
    " FOR EACH ROW EXECUTE FUNCTION register_new_edition()"
)

T = TypeVar("T")


class RegisterEdition(OfTenant, Base):
    """The name of a tenant's register as it is now; no row while it was never changed."""

    __tablename__ = "register_edition"

    edition: Mapped[str]


def statements(table_name: str, dialect_name: str) -> tuple[str, ...]:
    """The SQL that gives the register another edition whenever this table changes."""
    template = {"sqlite": SQLITE, "postgresql": POSTGRESQL}.get(dialect_name, "")
    triggers = [
        template.format(table=table_name, verb=verb, VERB=verb.upper(), row="OLD" if verb == "delete" else "NEW")
        for verb in VERBS
    ]
    return (POSTGRESQL_FUNCTION, *triggers) if dialect_name == "postgresql" else tuple(triggers)


def watch(*tables: type[Base]) -> None:
    """Count these tables to the register wherever they are created from the metadata."""
    for table in tables:
        for dialect_name in ("sqlite", "postgresql"):
            for statement in statements(table.__tablename__, dialect_name):
                trigger = DDL(statement)  # type: ignore[no-untyped-call]
                event.listen(_table(table), "after_create", trigger.execute_if(dialect=dialect_name))


def _table(kind: type[Base]) -> Table:
    return Base.metadata.tables[kind.__tablename__]


class Register:
    """One edition of a tenant's register, with what was computed from it."""

    def __init__(self, edition: str, moments: list[datetime]) -> None:
        """`moments` are the instants at which an entry begins or ends, ascending."""
        self.edition = edition
        self.kept_links: set[str] = set()
        """Names of links whose rows are known to be committed."""
        self._moments = moments
        self._kept: dict[Hashable, Any] = {}

    def recall(self, at: datetime, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` finds out for `key` (which names the question too) from the register as it stood at `at`.

        It must be a value that outlives the session, the same for all instants of a quarter of an hour.
        """
        place = (key, bisect_right(self._moments, at), int(at.timestamp() // QUARTER_S))
        try:
            found: T = self._kept[place]
        except KeyError:
            found = compute()
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[place] = found
        return found


_EDITION: Final = select(RegisterEdition.edition).where(RegisterEdition.tenant == bindparam("tenant"))
_HELD: Final = "teawatch_register"
_registers: WeakKeyDictionary[Engine, dict[str, Register]] = WeakKeyDictionary()
_lock = Lock()


def register_of(session: Session, tenant: str) -> Register:
    """The register as this session sees it now; ask again after a change."""
    held: Register | None = session.info.get((_HELD, tenant))
    if held is not None:
        return held
    edition = session.scalar(_EDITION, {"tenant": tenant}) or ""
    bind = session.get_bind()
    with _lock:
        registers = _registers.setdefault(bind.engine, {})
        register = registers.get(tenant)
    if register is None or register.edition != edition:
        register = Register(edition, _moments(session, tenant))
        with _lock:
            registers[tenant] = register
    return register


def hold_register(session: Session, tenant: str) -> Register:
    """The register as it is now; from now on `register_of` gives it to this session, which changes nothing of it."""
    register: Register = session.info.setdefault((_HELD, tenant), register_of(session, tenant))
    return register


def _moments(session: Session, tenant: str) -> list[datetime]:
    kinds = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Dated)]
    starts = [select(kind.valid_from).where(kind.tenant == tenant) for kind in kinds]
    ends = [select(kind.valid_to).where(kind.tenant == tenant, kind.valid_to.is_not(None)) for kind in kinds]
    return sorted(session.scalars(union(*starts, *ends)))
