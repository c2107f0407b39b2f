"""Every table of the register and of enforcement, so that one import gives migrations the whole metadata."""

from enforcement import finding_records, grids, holds, leads, policy, reviews, tasks
from traceability import cameras, cards, lots, parties, plots, sites
from traceability import policy as link_policy
from traceability.records import Base

TABLE_MODULES = (
    parties,
    plots,
    sites,
    cameras,
    cards,
    lots,
    link_policy,
    grids,
    leads,
    policy,
    tasks,
    finding_records,
    holds,
    reviews,
)

METADATA = Base.metadata
