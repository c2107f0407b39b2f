"""The table of rules. A new rule is a file beside this one and a line here.

A new kind of violation or clause has its words, Chinese and English, in `alerts/catalogue.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from edge.rules.base import Rule
from edge.rules.intrusion import Intrusion
from edge.rules.presence import Presence
from edge.rules.stationary import Stationary

AnyRule: TypeAlias = Rule[Any, Any]

RULES: Mapping[str, type[AnyRule]] = MappingProxyType(
    {
        "stationary": Stationary,
        "intrusion": Intrusion,
        "presence": Presence,
    }
)
