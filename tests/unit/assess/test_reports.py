"""What crews and route engines report, beside what the sensor saw."""

from dataclasses import replace

import numpy as np
import pytest

from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.reports import Report, Service, merge

HOURS = np.datetime64("2026-03-01T00:00", "us") + np.arange(0, 48) * np.timedelta64(1, "h")
SEEN = Emptying(HOURS[10], HOURS[11], 0.8, 0.05, 0.9)


def at(hour: float) -> np.datetime64:
    return HOURS[0] + np.timedelta64(round(hour * 60), "m")


def levels(*, emptied: bool = True, held: float = 0.8) -> np.ndarray:
    return np.where((np.arange(48) > 10) & emptied, 0.05, held)


def merged(*reports: Report, seen: tuple[Emptying, ...] = (SEEN,)) -> list[Service]:
    return merge(seen, reports, HOURS, levels(emptied=bool(seen)))


def test_what_only_the_sensor_saw_stays_as_it_is() -> None:
    assert merged() == [Service(HOURS[10], HOURS[11], 0.8, 0.05, 0.9, ("sensor",), "seen")]


@pytest.mark.parametrize("hour", [8.1, 10.5, 12.9])
def test_report_near_what_the_sensor_saw_confirms_it(hour: float) -> None:
    [service] = merged(Report(at(hour), "crew"))

    assert (service.sources, service.outcome) == (("sensor", "crew"), "confirmed")
    assert (service.not_before, service.emptied_at) == (HOURS[10], HOURS[11])
    assert SEEN.confidence < service.confidence < 1


def test_crew_and_route_engine_tell_of_the_same() -> None:
    reports = [Report(at(10.6), "route_engine"), Report(at(10.4), "crew"), Report(at(10.7), "crew")]

    [service] = merged(*reports)

    assert service.sources == ("sensor", "crew", "route_engine")
    assert service == merged(*reversed(reports))[0]
    assert replace(service, sources=("sensor", "crew"), reports=reports[1:2]) == replace(
        merged(reports[1])[0], reports=reports[1:2]
    )


def test_missed_emptying_stays_missed_when_the_bin_is_emptied_later() -> None:
    [missed, seen] = merged(Report(at(6.5), "crew"))

    assert (missed.outcome, seen.outcome) == ("contradicted", "seen")


def test_report_goes_to_the_emptying_that_is_nearest() -> None:
    second = replace(SEEN, not_before=HOURS[13], emptied_at=HOURS[14])

    services = merged(Report(at(12.6), "crew"), seen=(SEEN, second))

    assert [one.outcome for one in services] == ["seen", "confirmed"]


def test_report_without_a_fall_is_a_missed_emptying() -> None:
    [service] = merged(Report(at(20), "crew"), seen=())

    assert (service.outcome, service.sources) == ("contradicted", ("crew",))
    assert (service.fill_before, service.fill_after) == (0.8, 0.8)
    assert service.confidence < 0.5


@pytest.mark.parametrize(
    ("known", "level"),
    [
        # It held too little to tell.
        (slice(None), levels(emptied=False, held=0.1)),
        # Silent around it, before it, or not yet heard of again.
        (slice(0, 0), levels(emptied=False)),
        (slice(22, None), levels(emptied=False)),
        (slice(0, 21), levels(emptied=False)),
        # One reading proves nothing.
        (slice(0, 23), levels(emptied=False)),
        # Emptied, and full again: the level fell.
        (slice(None), np.where(np.arange(48) == 23, 0.3, 0.8)),
    ],
)
def test_report_that_the_sensor_cannot_judge_is_believed(known: slice, level: np.ndarray) -> None:
    [service] = merge((), [Report(at(20), "crew")], HOURS[known], level[known])

    assert (service.outcome, service.confidence) == ("unseen", 0.7)


def test_several_reports_of_one_event_are_one() -> None:
    services = merged(Report(at(30), "crew"), Report(at(31), "route_engine"), Report(at(40), "crew"))

    assert [(one.sources, one.emptied_at) for one in services[1:]] == [
        (("crew", "route_engine"), at(30)),
        (("crew",), at(40)),
    ]
