"""What keys of tables are called on pages: states, moves, roles, reasons. Each English name is translated in the .po.

An unknown key (a newer box, an older page) is shown as it stands rather than hidden.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from alerts.catalogue import CLAUSES, KINDS, SHORTFALLS
from center.words import N_, Language


class Toned(NamedTuple):
    """A name with the tone and drawing of its badge."""

    name: str
    tone: str
    drawing: str


TASK_STATES: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        "opened": Toned(N_("To acknowledge"), "alarm", "flag"),
        "acknowledged": Toned(N_("Acknowledged"), "info", "check"),
        "started": Toned(N_("Under way"), "info", "arrow"),
        "rectified": Toned(N_("Rectified"), "good", "check"),
        "closed": Toned(N_("Closed"), "", "seal"),
        "false_alarm": Toned(N_("False alarm"), "", "cross"),
        "penalty_proposed": Toned(N_("Penalty proposed"), "warn", "seal"),
    }
)

MOVES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acknowledge": N_("Acknowledge"),
        "start": N_("Start"),
        "rectify": N_("Mark rectified"),
        "close": N_("Close"),
        "false_alarm": N_("False alarm"),
        "reopen": N_("Open again"),
        "propose_penalty": N_("Propose a penalty"),
        "withdraw_proposal": N_("Withdraw the proposal"),
        "hand_over": N_("Hand over for a penalty"),
    }
)

HISTORY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": N_("Task opened"),
        "assign": N_("Assigned"),
        "acknowledge": N_("Acknowledged"),
        "start": N_("Work started"),
        "rectify": N_("Marked rectified"),
        "close": N_("Closed"),
        "false_alarm": N_("Called a false alarm"),
        "reopen": N_("Opened again"),
        "propose_penalty": N_("Penalty proposed"),
        "withdraw_proposal": N_("Proposal of a penalty withdrawn"),
        "hand_over": N_("Handed over for a penalty"),
        "distrusted": N_("A record it rests on is trusted no more"),
        "incident_closed": N_("The incident ended by itself"),
        "incident_reopened": N_("The incident goes on again"),
    }
)

ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "officer": N_("Officer"),
        "head": N_("Head of the centre"),
        "technician": N_("Technician"),
        "legal": N_("Legal reviewer"),
        "technical": N_("Technical reviewer"),
        "public": N_("Public"),
        "system": N_("System"),
    }
)

PHASES: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        "opened": Toned(N_("Going on"), "alarm", "warning"),
        "updated": Toned(N_("Going on"), "alarm", "warning"),
        "closed": Toned(N_("Ended"), "", "check"),
    }
)

FOOTAGE: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        "live": Toned(N_("Live camera"), "good", "camera"),
        "recording": Toned(N_("Recording"), "warn", "picture"),
    }
)

CLOCKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "synchronised": N_("The box's clock was synchronised."),
        "unsynchronised": N_("The box's clock was not synchronised: the time may be wrong."),
        "unknown": N_("It is not known whether the box's clock was right."),
    }
)

TARGETS: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        "plot": Toned(N_("Tea plot"), "good", "plot"),
        "plant": Toned(N_("Tea plant"), "warn", "plant"),
        "party": Toned(N_("Party"), "info", "person"),
        "leaf_card": Toned(N_("Tea-leaf card (LeafCard)"), "info", "card"),
        "lot": Toned(N_("Lot of tea"), "info", "lot"),
        "grid": Toned(N_("Grid"), "", "grid"),
    }
)

GRIDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "street": N_("Grid (street)"),
        "patch": N_("Grid (patch)"),
        "town": N_("Grid (town)"),
        "county": N_("Grid (county)"),
    }
)

OBJECTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "person": N_("person"),
        "bicycle": N_("bicycle"),
        "motorbike": N_("motorcycle"),
        "motorcycle": N_("motorcycle"),
        "car": N_("car"),
        "truck": N_("truck"),
        "bus": N_("bus"),
    }
)

GRID_LEVELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "street": N_("street grid"),
        "patch": N_("patch"),
        "town": N_("town"),
        "county": N_("county"),
    }
)

PURPOSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "street_order": N_("Order on the street"),
        "garden_protection": N_("Protection of tea gardens"),
        "plant_hygiene": N_("Hygiene of tea plants"),
        "publication": N_("Publication to shoppers"),
    }
)

ORGANIC: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        "certified": Toned(N_("Certified organic"), "good", "leaf"),
        "in_conversion": Toned(N_("In conversion to organic"), "warn", "leaf"),
        "conventional": Toned(N_("Conventional"), "", "leaf"),
    }
)

FINDING_STATES: Final[Mapping[str, Toned]] = MappingProxyType(
    {
        "draft": Toned(N_("Draft"), "", "info"),
        "published": Toned(N_("Published"), "warn", "flag"),
        "withdrawn": Toned(N_("Withdrawn"), "", "cross"),
    }
)

ARTEFACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "picture": N_("Sealed picture"),
        "annotated": N_("Annotated picture"),
        "clip": N_("Clip"),
        "redacted": N_("Redacted picture"),
        "recording": N_("Recording made by a person"),
    }
)


WATCHING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "seen": N_("watched"),
        "unknown": N_("not reported"),
        "box_off": N_("box off"),
        "refused": N_("camera refused the password"),
        "no_stream": N_("no connection to the camera"),
        "degraded": N_("damaged pictures"),
        "gate_error": N_("fault in the box"),
        "frozen": N_("picture frozen"),
        "covered": N_("view covered"),
        "dark": N_("too dark"),
        "overexposed": N_("too bright"),
        "turned": N_("turned away"),
        "blurred": N_("out of focus"),
        "clock_off": N_("clock wrong"),
        "overloaded": N_("box overloaded"),
    }
)


def kind_name(language: Language, key: str) -> str:
    """What a kind of violation is called."""
    return language.term(KINDS[key].words) if key in KINDS else key


def clause_name(language: Language, key: str) -> str:
    """What a clause of a rule is called."""
    return language.term(CLAUSES[key].words) if key in CLAUSES else key


def shortfall_of(language: Language, causes: Sequence[str]) -> str:
    """That a clip shows less than it was to, and why; empty where it shows everything."""
    if not causes:
        return ""
    named = [language.term(SHORTFALLS[cause]) if cause in SHORTFALLS else cause for cause in causes]
    return language.say(N_("Shows less than it was to: %(causes)s"), causes=" · ".join(named))


def name_of(language: Language, table: Mapping[str, Toned] | Mapping[str, str], key: str) -> str:
    """A key's name in one of the tables above."""
    entry = table.get(key)
    if entry is None:
        return key
    return language.gettext(entry.name if isinstance(entry, Toned) else entry)


def toned(language: Language, table: Mapping[str, Toned], key: str) -> Toned:
    """A key's name, tone and drawing, translated."""
    entry = table.get(key, Toned(key, "", "info"))
    return entry._replace(name=language.gettext(entry.name))
