"""Emptyings that crews and route engines report, held against what the sensor saw. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ingest.assess.levels.emptying import SETTLED_READINGS, Emptying
from ingest.assess.levels.readings import Floats, Times

Source = Literal["sensor", "crew", "route_engine"]
Outcome = Literal["confirmed", "seen", "unseen", "contradicted"]

# People report at the end of a street or of a round, and their clocks differ from the sensor's.
TOLERANCE = np.timedelta64(2, "h")
# What a report alone is worth, and one that the sensor contradicts.
REPORTED, CONTRADICTED = 0.7, 0.1
# A bin that held less than this shows no emptying, and one whose level stays within this of what it was had none.
HELD_LITTLE = 0.15
STAYED = 0.08
# Readings further from the report than this say nothing about it.
NEAR = np.timedelta64(12, "h")


@dataclass(frozen=True, slots=True)
class Report:
    """Somebody says that a bin was emptied: when (datetime64[us], UTC), and who says so."""

    emptied_at: np.datetime64
    source: Source


@dataclass(frozen=True, slots=True)
class Service:
    """One emptying of a bin, with all who know of it.

    Attributes:
        not_before: datetime64[us], UTC; the report's own time where the sensor did not see it.
        emptied_at: datetime64[us], UTC.
        fill_before: level 0..1; None where unknown.
        fill_after: level 0..1; None where unknown.
        confidence: 0..1 that it happened.
        sources: who says so, `sensor` first.
        outcome: `confirmed`: seen and reported; `seen`: only the sensor knows; `unseen`: reported, and the sensor
            cannot tell, or not yet; `contradicted`: reported, but the level did not fall: a missed emptying.
        reports: that tell of it, oldest first.
    """

    not_before: np.datetime64
    emptied_at: np.datetime64
    fill_before: float | None
    fill_after: float | None
    confidence: float
    sources: tuple[Source, ...]
    outcome: Outcome
    reports: tuple[Report, ...] = ()

    @property
    def is_refuted(self) -> bool:
        """Whether it did not happen, as far as the sensor can tell."""
        return self.outcome == "contradicted"


def merge(
    seen: Sequence[Emptying],
    reports: Sequence[Report],
    measured_at: Times,
    levels: Floats,
    tolerance: np.timedelta64 = TOLERANCE,
) -> list[Service]:
    """Make one emptying of each event, whoever knows of it.

    Args:
        seen: what the bin's sensor saw, oldest first.
        reports: in any order; several that are near each other tell of one event.
        measured_at: of the bin's readings that can be believed, oldest first, shape (n,).
        levels: of the same, 0..1, shape (n,).
        tolerance: how far a report may be off.

    Returns:
        Oldest first.
    """
    services = [
        Service(one.not_before, one.emptied_at, one.fill_before, one.fill_after, one.confidence, ("sensor",), "seen")
        for one in seen
    ]
    lone: list[Service] = []
    for report in sorted(reports, key=lambda one: (one.emptied_at, one.source)):
        place = _nearest(services, report, tolerance)
        if place is not None:
            services[place] = _told(services[place], report)
        elif lone and report.emptied_at - lone[-1].emptied_at <= tolerance:
            lone[-1] = _with(lone[-1], report)
        else:
            later = (one.not_before for one in seen if one.not_before > report.emptied_at)
            until = min(later, default=report.emptied_at + NEAR)
            lone.append(_unseen(report, measured_at, levels, tolerance, until))
    return sorted([*services, *lone], key=lambda one: (one.emptied_at, one.not_before))


def _nearest(services: Sequence[Service], report: Report, tolerance: np.timedelta64) -> int | None:
    """Give the place of the emptying in whose window the report falls, or else the nearest within the tolerance."""
    first = bisect_left(services, report.emptied_at - tolerance, key=lambda one: one.emptied_at)
    last = bisect_right(services, report.emptied_at + tolerance, key=lambda one: one.not_before)
    return min(range(first, last), key=lambda place: _apart(services[place], report), default=None)


def _apart(service: Service, report: Report) -> np.timedelta64:
    nothing = np.timedelta64(0, "us")
    return max(service.not_before - report.emptied_at, report.emptied_at - service.emptied_at, nothing)


def _told(service: Service, report: Report) -> Service:
    """Let one more know of an emptying that the sensor saw; the first other one makes it surer."""
    if service.outcome == "seen":
        sure = 1 - (1 - service.confidence) * (1 - REPORTED)
        service = replace(service, confidence=round(sure, 3), outcome="confirmed")
    return _with(service, report)


def _with(service: Service, report: Report) -> Service:
    sources = service.sources if report.source in service.sources else (*service.sources, report.source)
    return replace(service, sources=sources, reports=(*service.reports, report))


def _unseen(
    report: Report, measured_at: Times, levels: Floats, tolerance: np.timedelta64, until: np.datetime64
) -> Service:
    """Take a report of which no fall tells, `until` the next one: was there none, or could the sensor not see it?"""
    at = report.emptied_at
    before = levels[slice(*np.searchsorted(measured_at, [at - NEAR, at - tolerance]))]
    end = min(np.searchsorted(measured_at, at + NEAR), np.searchsorted(measured_at, until, side="right"))
    after = levels[np.searchsorted(measured_at, at + tolerance) : end][:SETTLED_READINGS]
    fill_before = float(before[-1]) if len(before) else None
    fill_after = float(after[0]) if len(after) else None
    enough = fill_before is not None and fill_before >= HELD_LITTLE and len(after) > 1
    stayed = enough and fill_before is not None and float(after.min()) >= fill_before - STAYED
    service = Service(at, at, fill_before, fill_after, REPORTED, (report.source,), "unseen", (report,))
    return replace(service, confidence=CONTRADICTED, outcome="contradicted") if stayed else service
