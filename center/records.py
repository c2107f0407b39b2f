"""Every table of the database: one import gives migrations the whole metadata."""

from center import coverage, timekeeping
from center.accounts import people
from center.boxes import bootclocks, certificates, devices, enrolment, presence
from center.evidence import custody, files, recordings, redactions, retention
from center.intake import journal, quarantine
from center.log import records as log
from center.log import selfcheck
from enforcement import records as below

TABLE_MODULES = (
    *below.TABLE_MODULES,
    bootclocks,
    certificates,
    coverage,
    custody,
    devices,
    enrolment,
    files,
    presence,
    recordings,
    redactions,
    retention,
    people,
    journal,
    quarantine,
    log,
    selfcheck,
    timekeeping,
)

METADATA = below.METADATA
