from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.assess.decisions.alerts import PACES, TYPES, Alert, reconcile
from ingest.assess.decisions.conditions import Condition, Device, conditions
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.sensor import Sensor
from tests.unit.assess.bins import DAY, HOUR, NOW

SENSOR = Sensor(fitted_at=NOW - 28 * DAY, next_report_s=3600, last_received_at=NOW)
MINUTE = timedelta(minutes=1)


def findings(**other: object) -> Findings:
    """A bin whose sensor reported just now, and is well."""
    usual = Findings(level=0.4, quality=4, measured_at=NOW - MINUTE, newest_at=NOW - MINUTE, temperature_c=9.0)
    return replace(usual, **other)  # type: ignore[arg-type]


def found(said: Findings, device: Device | None = None, sensor: Sensor | None = SENSOR) -> list[tuple[str, bool]]:
    return [(one.type, one.sure) for one in conditions(said, sensor, device, NOW)]


QUIET_SINCE = {"newest_at": NOW - 2 * DAY, "measured_at": NOW - 2 * DAY}
GONE = replace(SENSOR, last_received_at=NOW - 2 * DAY)
NEVER = replace(SENSOR, last_received_at=None)


@pytest.mark.parametrize(
    ("said", "device", "sensor", "expected"),
    [
        # Nothing is wrong, or there is nothing that could be.
        (findings(), None, SENSOR, []),
        (findings(hot_since=NOW), Device(battery_mv=2900), None, []),
        # What readings show.
        (findings(hot_since=NOW, temperature_c=71.0), None, SENSOR, [("fire", True)]),
        (findings(tilted_since=NOW - HOUR), None, SENSOR, [("tilt", True)]),
        (findings(obstructed_since=NOW - HOUR), None, SENSOR, [("obstruction", True)]),
        (findings(stuck_since=NOW - DAY), None, SENSOR, [("stuck", True)]),
        # A fire long ago, and whatever a silent sensor saw last, open nothing.
        (findings(**QUIET_SINCE, hot_since=NOW - 2 * DAY), None, GONE, [("fire", False), ("silent", True)]),
        (findings(**QUIET_SINCE, tilted_since=NOW - 3 * DAY), None, GONE, [("silent", True), ("tilt", False)]),
        # A sensor that was never heard, enrolled or only written down; one that brings old readings.
        (Findings(), Device(enrolled_at=NOW - 2 * DAY), NEVER, [("silent", True)]),
        (Findings(), None, NEVER, [("silent", False)]),
        # Rejected now, rejected often, rejected sometimes; and where something else explains it.
        (findings(rejected_count=3, rejected_since=NOW - 3 * HOUR), None, SENSOR, [("unreliable", True)]),
        (findings(rejected_share=0.31), None, SENSOR, [("unreliable", True)]),
        (findings(rejected_share=0.2), None, SENSOR, [("unreliable", False)]),
        (findings(rejected_share=0.1), None, SENSOR, []),
        (findings(rejected_share=0.9, tilted_since=NOW - HOUR), None, SENSOR, [("tilt", True)]),
        # Batteries and certificates: wrong, nearly fine again, fine.
        (findings(), Device(battery_mv=3300), SENSOR, [("battery", True)]),
        (findings(), Device(battery_mv=3380), SENSOR, [("battery", False)]),
        (findings(), Device(battery_mv=3401), SENSOR, []),
        (findings(), Device(battery_percent=15), SENSOR, [("battery", True)]),
        (findings(), Device(battery_percent=18), SENSOR, [("battery", False)]),
        (findings(), Device(certificate_expires_at=NOW + 29 * DAY), SENSOR, [("certificate", True)]),
        (findings(), Device(certificate_expires_at=NOW + 31 * DAY), SENSOR, []),
    ],
)
def test_condition(
    said: Findings, device: Device | None, sensor: Sensor | None, expected: list[tuple[str, bool]]
) -> None:
    assert found(said, device, sensor) == expected


def test_silence_counts_from_what_was_last_heard() -> None:
    late = replace(SENSOR, last_received_at=NOW - HOUR)

    (silence,) = conditions(findings(**QUIET_SINCE), late, None, NOW)

    assert silence.since == NOW - HOUR


def test_bin_out_of_service_only_burns() -> None:
    said = findings(hot_since=NOW, tilted_since=NOW - DAY)

    assert [one.type for one in conditions(said, SENSOR, Device(battery_mv=2900), NOW, in_service=False)] == ["fire"]


def alert(type_: str, *, opened: timedelta = DAY, seen: timedelta, closed: timedelta | None = None) -> Alert:
    """An alert that opened, was seen and closed so long ago."""
    closed_at = None if closed is None else NOW - closed
    return Alert(type_, NOW - opened, "It was wrong.", NOW - opened, NOW - seen, closed_at, id=7)


def wrong(type_: str, for_: timedelta, *, sure: bool = True) -> Condition:
    return Condition(type_, NOW - for_, "It is wrong.", sure)


@pytest.mark.parametrize(
    ("known", "here", "expected"),
    [
        # A fire opens at once, a bin on its side after half an hour, a silent sensor after a day.
        (None, wrong("fire", 0 * HOUR), "opened"),
        (None, wrong("tilt", 29 * MINUTE), "nothing"),
        (None, wrong("tilt", 30 * MINUTE), "opened"),
        (None, wrong("silent", 23 * HOUR), "nothing"),
        (None, wrong("silent", 24 * HOUR), "opened"),
        # What is not sure opens nothing, but keeps open.
        (None, wrong("battery", DAY, sure=False), "nothing"),
        (alert("battery", seen=HOUR), wrong("battery", DAY, sure=False), "observed"),
        # It stays open for a quiet time, and then closes.
        (alert("tilt", seen=119 * MINUTE), None, "nothing"),
        (alert("tilt", seen=120 * MINUTE), None, "closed"),
        (alert("tilt", seen=HOUR), wrong("tilt", MINUTE), "observed"),
        # Soon after it closed it goes on, when it would open; later a new one opens.
        (alert("tilt", seen=DAY, closed=23 * HOUR), wrong("tilt", HOUR), "reopened"),
        (alert("tilt", seen=DAY, closed=23 * HOUR), wrong("tilt", MINUTE), "nothing"),
        (alert("tilt", seen=DAY, closed=24 * HOUR), wrong("tilt", HOUR), "opened"),
        (alert("fire", seen=DAY, closed=4 * HOUR), wrong("fire", 0 * HOUR), "opened"),
    ],
)
def test_alert_follows_its_condition(known: Alert | None, here: Condition | None, expected: str) -> None:
    changes = reconcile([known] if known else [], [here] if here else [], NOW)

    assert [happened(known, change) for change in changes] == ([] if expected == "nothing" else [expected])


def happened(before: Alert | None, after: Alert) -> str:
    """Say in a word what became of an alert, and see that nothing else changed."""
    if after.id is None:
        assert after == Alert(after.type, after.since, "It is wrong.", opened_at=NOW, observed_at=NOW)
        return "opened"
    assert before is not None
    if after.closed_at is not None:
        assert after == replace(before, closed_at=NOW)
        return "closed"
    assert after == replace(before, closed_at=None, observed_at=NOW, text="It is wrong.")
    return "observed" if before.closed_at is None else "reopened"


def test_alerts_of_different_types_do_not_disturb_each_other() -> None:
    known = [alert("tilt", seen=3 * HOUR), alert("battery", seen=HOUR)]

    changes = reconcile(known, [wrong("fire", 0 * HOUR)], NOW)

    assert {(change.type, change.closed_at is None) for change in changes} == {("tilt", False), ("fire", True)}


def live(script: Sequence[tuple[int, frozenset[str]]]) -> list[Alert]:
    """Let a bin live: at each step so many minutes pass, and those types are wrong; give all alerts it ever had."""
    kept: dict[int, Alert] = {}
    began: dict[str, datetime] = {}
    now = NOW
    for minutes, types in script:
        now += minutes * MINUTE
        began = {type_: began.get(type_, now) for type_ in types}
        here = [Condition(type_, began[type_], "It is wrong.") for type_ in sorted(types)]
        for change in reconcile(list(kept.values()), here, now):
            number = len(kept) + 1 if change.id is None else change.id
            kept[number] = replace(change, id=number)
    return list(kept.values())


STEPS = st.lists(st.tuples(st.integers(1, 5000), st.frozensets(st.sampled_from(TYPES))), max_size=40)


@given(STEPS)
def test_never_two_open_alerts_of_one_type(script: list[tuple[int, frozenset[str]]]) -> None:
    alerts = live(script)

    for type_ in TYPES:
        mine = [one for one in alerts if one.type == type_]
        assert sum(one.closed_at is None for one in mine) <= 1
        for before, after in pairwise(mine):
            assert before.closed_at is not None
            assert after.opened_at - before.closed_at >= PACES[type_].reopens_within
    assert all(one.since <= one.opened_at <= one.observed_at <= (one.closed_at or one.observed_at) for one in alerts)


@pytest.mark.parametrize("pause_min", [1, 20, 45, 90, 200, 700])
def test_flapping_sensor_opens_one_alert(pause_min: int) -> None:
    # For two weeks, on its side for longer than it takes to open, then upright for a while.
    bad, fine = frozenset({"tilt"}), frozenset[str]()
    script = [(5, bad), (40, bad), (pause_min, fine)] * (14 * 1440 // (45 + pause_min))

    assert len(live(script)) == 1
