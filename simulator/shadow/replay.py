"""Compares a council's present rounds with our due list on its own readings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.levels.readings import Floats
from simulator.evaluate.columns import FileError
from simulator.evaluate.dataset import Tell, believed, geometry_for, introduce, left_out
from simulator.evaluate.detection import assess
from simulator.evaluate.readings_file import Readings, read_readings
from simulator.shadow.check import Check, check
from simulator.shadow.flow import flow_of
from simulator.shadow.lists import replay_lists
from simulator.shadow.places import Place, depots_of, read_places
from simulator.shadow.rounds import daily, lists_between, read_rounds
from simulator.shadow.routes import Roads, read_matrix
from simulator.shadow.service import Service, serve
from simulator.shadow.town import Town

# The list learns from so many days before it is compared; where there are fewer than twice as many, from half of them.
HISTORY_DAYS = 28
DAY_H = 24.0
NOWHERE = Place(float("nan"), float("nan"), "")


@dataclass(frozen=True, slots=True)
class Request:
    """What is compared.

    Attributes:
        readings: CSV file.
        rounds: CSV file of the present visits; None for every bin every day.
        bins: CSV file that says where bins are; None leaves kilometres out.
        depots: CSV file that says where depots are; None for amid their bins.
        matrix: CSV file of distances; None for straight lines.
        factor: how much longer a road is than a straight line.
        empty_mm: as for `evaluate`.
        full_mm: as for `evaluate`.
        clocks: when lists are made, local time.
        zone: of the council.
    """

    readings: Path
    rounds: Path | None
    bins: Path | None
    depots: Path | None
    matrix: Path | None
    factor: float
    empty_mm: float | None
    full_mm: float | None
    clocks: tuple[time, ...]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways to serve the same bins over the same time.

    Attributes:
        bins: their names.
        begin: aware.
        end: aware.
        present: as it is.
        ours: by the due list.
        kilometres: of both; None where no positions are known.
        reasons: how many visits each reason of ours brought.
        seen: share of the time in which the levels tell what fell in, shape (bins,).
        check: how far the replay of the present rounds agrees with what was measured.
        unlocated: bins without a position: their visits cost no kilometres here.
    """

    bins: tuple[str, ...]
    begin: datetime
    end: datetime
    present: Service
    ours: Service
    kilometres: tuple[float, float] | None
    reasons: Mapping[str, int]
    seen: Floats
    check: Check
    unlocated: int


def compare_services(request: Request, tell: Tell) -> Comparison:
    """Replay the present rounds and our list.

    Raises:
        FileError: a file cannot be used, its readings span too little time, or none of them can be believed.
    """
    readings = read_readings(request.readings)
    for line in introduce(request.readings, readings):
        tell(line)
    known = {} if request.bins is None else read_places(request.bins)
    places = [known.get(name, NOWHERE) for name in readings.bins]
    geometry = geometry_for(request.readings, readings, request.empty_mm, request.full_mm, tell)
    assessed = believed(request.readings, assess(readings, geometry))
    town = Town(readings, assessed, flow_of(readings, assessed, request.zone), geometry, places, request.zone)
    begin, end = _time(readings)
    present, begin, end = _present(request, readings, begin, end, tell)
    moments = lists_between(begin, end, request.clocks, request.zone)
    if not len(moments):
        raise FileError(f"{request.readings}: there is no whole day to compare.")
    tell(f"Making {len(moments):,} lists for {len(places):,} bins ...")
    span = town.span(begin, end)
    present = [span.inside(number, visits) for number, visits in enumerate(present)]
    lists = replay_lists(town, moments, span)
    ours = [np.array(visits, dtype=np.float64) for visits in lists.visits]
    return Comparison(
        bins=readings.bins,
        begin=datetime.fromtimestamp(begin * 3600, UTC),
        end=datetime.fromtimestamp(end * 3600, UTC),
        present=serve(town.flow, present, span),
        ours=serve(town.flow, ours, span),
        kilometres=_kilometres(request, readings.bins, known, (present, ours), tell),
        reasons=dict(Counter(lists.reasons).most_common()),
        seen=town.flow.seen,
        check=check(town, present, span),
        unlocated=sum(not place.located for place in places),
    )


def _time(readings: Readings) -> tuple[float, float]:
    """Say from when to when is compared, hours since 1970."""
    first, last = (
        float(at.astype(np.int64)) / 3.6e9 for at in (readings.measured_at.min(), readings.measured_at.max())
    )
    return first + min(HISTORY_DAYS * DAY_H, (last - first) / 2), last


def _present(
    request: Request, readings: Readings, begin: float, end: float, tell: Tell
) -> tuple[list[Floats], float, float]:
    """Give the present visits, and the part of the time that they cover."""
    if request.rounds is None:
        lists = lists_between(begin, end, request.clocks[:1], request.zone)
        return list(daily(len(readings.bins), lists).visits), begin, end
    rounds = read_rounds(request.rounds, readings.bins, request.clocks[0], request.zone)
    for line in left_out(rounds.refused):
        tell(line)
    if rounds.strange:
        tell(f"{rounds.strange:,} bins of {request.rounds} have no readings; their visits do not count.")
    every = np.concatenate(rounds.visits)
    # Where the rounds are written down for a part of the time, that part is compared.
    begin, end = max(begin, float(every.min())), min(end, float(every.max()))
    inside = [visits[(visits >= begin) & (visits <= end)] for visits in rounds.visits]
    if not sum(map(len, inside)):
        raise FileError(f"{request.rounds} has no visit after the first {HISTORY_DAYS} days of readings.")
    return inside, begin, end


def _kilometres(
    request: Request,
    bins: Sequence[str],
    known: Mapping[str, Place],
    services: tuple[Sequence[Floats], Sequence[Floats]],
    tell: Tell,
) -> tuple[float, float] | None:
    """Drive both services: each day, each depot's vehicle makes one tour a round of the day."""
    measured = set(bins)
    located = {name: place for name, place in known.items() if place.located and name in measured}
    if not located:
        return None
    depots = depots_of(request.depots, located)
    metres = None if request.matrix is None else read_matrix(request.matrix)
    roads = Roads(located, depots, request.factor, metres)
    tell("Finding the way from bin to bin ...")
    present, ours = (roads.service_km(bins, visits, request.zone) for visits in services)
    return present, ours
