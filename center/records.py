"""Every table of the database: one import gives migrations the whole metadata."""

from center import coverage, devices, enrolment, evidence
from center.accounts import people
from center.intake import journal, quarantine
from enforcement import records as below

TABLE_MODULES = (*below.TABLE_MODULES, coverage, devices, enrolment, evidence, people, journal, quarantine)

METADATA = below.METADATA
