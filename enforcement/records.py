"""Every table of the register and of enforcement, so that one import gives migrations the whole metadata."""

from enforcement import distrust, finding_records, grids, holds, leads, policy, reviews, task_records
from traceability import cameras, cards, editions, lots, parties, plots, sites
from traceability import policy as link_policy
from traceability.editions import watch
from traceability.records import Base

TABLE_MODULES = (
    parties,
    plots,
    sites,
    cameras,
    cards,
    lots,
    link_policy,
    editions,
    grids,
    leads,
    policy,
    task_records,
    finding_records,
    holds,
    reviews,
    distrust,
)

watch(
    cameras.Camera,
    cameras.CameraEntry,
    parties.Party,
    plots.Garden,
    plots.Plot,
    plots.PlotEntry,
    plots.PlotTenure,
    sites.Plant,
    sites.PlantEntry,
    cards.LeafCard,
    cards.LeafCardEntry,
    cards.LeafSale,
    lots.LotInput,
    link_policy.LinkPolicy,
    grids.Grid,
    grids.GridEntry,
    policy.ResponsePolicy,
    policy.WorkingWeek,
)

METADATA = Base.metadata
