from datetime import timedelta

import pytest

from ingest.assess.decisions.due import Due, Rules, decide
from ingest.assess.decisions.state import state_at
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.sensor import Sensor
from tests.unit.assess.bins import DAY, HOUR, NOW, hourly, reading, state


@pytest.mark.parametrize(
    ("levels", "reason", "due_class"),
    [
        ([0.2, 0.4, 0.6], "NOT_READY", None),
        ([0.6, 0.81, 0.82], "FULLNESS", "may_go"),
        # One reading at the threshold waits for the next.
        ([0.6, 0.7, 0.82], "NOT_READY", None),
        # A little below again: still full, nothing flaps.
        ([0.6, 0.81, 0.82, 0.78, 0.75, 0.72], "FULLNESS", "may_go"),
        # One reading far below proves nothing, two do.
        ([0.6, 0.81, 0.82, 0.68], "FULLNESS", "may_go"),
        ([0.6, 0.81, 0.82, 0.68, 0.67], "NOT_READY", None),
        # Waste lies beside the bin soon.
        ([0.6, 0.9, 0.96, 0.97], "FULLNESS", "must_go"),
        # Full for a day.
        ([0.85] * 26, "FULLNESS", "must_go"),
        ([0.85] * 20, "FULLNESS", "may_go"),
        # Emptied.
        ([0.85, 0.9, 0.05, 0.05], "NOT_READY", None),
        # Full again after it.
        ([0.85, 0.9, 0.05, 0.05, 0.5, 0.85, 0.9], "FULLNESS", "may_go"),
    ],
)
def test_fullness(levels: list[float | None], reason: str, due_class: str | None) -> None:
    due = state(hourly(levels)).due

    assert (due.reason, due.due_class) == (reason, due_class)


def test_fullness_is_explained_in_the_councils_time() -> None:
    due = state(hourly([0.6, 0.85, 0.88, 0.91])).due

    assert due == Due(
        sensor="ok",
        reason="FULLNESS",
        due_class="may_go",
        priority=due.priority,
        due_since=NOW - 2 * HOUR,
        due_by=NOW + 22 * HOUR,
        explanation="91% full since Sun 10:00; threshold 80%.",
    )
    assert 1 <= due.priority <= 59


def test_explanation_gives_date_when_weekday_is_ambiguous() -> None:
    rows = [reading(24 * 9 - hours, 0.9) for hours in range(24 * 9 + 1)]

    assert state(rows).due.explanation == "90% full since 20 Feb 12:00; threshold 80%."


def test_fullness_of_one_reading_counts_when_nothing_contradicts_it() -> None:
    rows = [reading(3, 0.6), reading(2, 0.7), reading(1, 0.85)]

    assert state(rows, now=NOW).due.reason == "NOT_READY"
    assert state(rows, now=NOW + HOUR).due.reason == "FULLNESS"


def test_fullness_ends_when_a_crew_says_so() -> None:
    rows = hourly([0.9, 0.9, 0.9])

    assert state(rows, reported=[NOW + timedelta(minutes=5)], now=NOW + timedelta(minutes=10)).due.reason == "NOT_READY"


@pytest.mark.parametrize(
    ("days", "reason", "due_class"),
    [(6.9, "NOT_READY", None), (7, "AGE", "may_go"), (10.4, "AGE", "may_go"), (10.5, "AGE", "must_go")],
)
def test_age_since_last_emptying(days: float, reason: str, due_class: str | None) -> None:
    due = state(hourly([0.1, 0.1]), reported=[NOW - days * DAY]).due

    assert (due.reason, due.due_class) == (reason, due_class)


def test_age_of_bin_without_sensor() -> None:
    bare = state_at(Findings(), NOW - 8 * DAY, None, Rules(), NOW)

    assert (bare.due.sensor, bare.due.reason) == ("none", "AGE")
    assert bare.due.explanation == "Last emptied 21 Feb 12:00; at least every 7 days."


def test_bin_without_sensor_and_without_known_emptying_is_not_due() -> None:
    bare = state_at(Findings(), None, None, Rules(), NOW)

    assert (bare.due.sensor, bare.due.reason, bare.fill_level) == ("none", "NOT_READY", None)


@pytest.mark.parametrize(
    ("next_report_s", "silent_hours", "sensor"),
    [
        (3600, 5.9, "ok"),
        # Three missed reports, but six hours at least.
        (3600, 6.1, "silent"),
        (21600, 17.9, "ok"),
        (21600, 18.1, "silent"),
        # A third party promises nothing.
        (None, 23.9, "ok"),
        (None, 24.1, "silent"),
    ],
)
def test_sensor_silent(next_report_s: int | None, silent_hours: float, sensor: str) -> None:
    rows = [reading(silent_hours + 1, 0.3), reading(silent_hours, 0.3)]

    due = state(rows, sensor=Sensor(NOW - 28 * DAY, next_report_s, NOW)).due

    assert due.sensor == sensor
    assert due.reason == ("NOT_READY" if sensor == "ok" else "STALE")


def test_stale_sensor_is_explained() -> None:
    due = state([reading(31, 0.3), reading(30, 0.31)]).due

    assert due.explanation == "Sensor silent since Sat 06:00, 31% full then: served as if it had no sensor."
    assert (due.due_class, due.due_since) == ("may_go", NOW - 30 * HOUR)


def test_stale_sensor_must_go_when_its_last_emptying_is_too_old() -> None:
    rows = [reading(24 * 3, 0.3)]

    assert state(rows, reported=[NOW - 6 * DAY]).due.due_class == "may_go"
    assert state(rows, reported=[NOW - 7 * DAY]).due.due_class == "must_go"


def test_sensor_that_never_reported_is_stale() -> None:
    due = state([], sensor=Sensor(NOW - HOUR)).due

    assert (due.sensor, due.reason) == ("silent", "STALE")
    assert "has not reported yet" in due.explanation


def test_rejected_readings_are_stale() -> None:
    due = state(hourly([0.2, 0.2, None, None, None])).due

    assert (due.sensor, due.reason) == ("rejected", "STALE")
    assert (
        due.explanation == "Sensor sees nothing it can rely on since Sun 10:00 (no echo), 20% full before:"
        " served as if it had no sensor."
    )


def test_rejected_sensor_recovers_only_when_it_is_believed_for_a_while() -> None:
    # One reading an hour: three without an echo, and then by turns; the last of them is believed for an hour.
    believed = [True, False, False, False, True, False, True, True]
    expected = ["ok", "ok", "ok", "rejected", "rejected", "rejected", "rejected", "ok"]
    before, decisions = None, []
    for hour in range(len(believed)):
        now = NOW + hour * HOUR
        last = max(place for place in range(hour + 1) if believed[place])
        findings = Findings(
            level=0.2,
            quality=4,
            measured_at=NOW + last * HOUR,
            newest_at=now,
            rejected_count=hour - last,
            rejected_since=NOW + (last + 1) * HOUR if hour > last else None,
            rejected_reason="no echo" if hour > last else "",
        )
        before = decide(findings, Sensor(NOW - 28 * DAY, 3600, now), None, Rules(), now, before=before)
        decisions.append(before)

    assert [one.sensor for one in decisions] == expected
    assert [(one.reason, one.due_since) for one in decisions[3:]] == [
        *[("STALE", NOW + HOUR)] * 4,
        ("NOT_READY", None),
    ]
    assert decisions[6].explanation == (
        "Sensor is believed again only since Sun 18:00, 20% full now: served as if it had no sensor."
    )


def test_full_bin_stays_full_when_its_sensor_falls_silent() -> None:
    due = state([reading(12, 0.6), reading(11, 0.9), reading(10, 0.9)]).due

    assert (due.sensor, due.reason) == ("silent", "FULLNESS")
    assert due.explanation.endswith("threshold 80%; sensor silent since Sun 02:00, 90% full then.")


@pytest.mark.parametrize(
    ("temperatures", "reason"),
    [
        ([20.0, 20.0], "NOT_READY"),
        ([20.0, 61.0], "ALERT"),
        # Still hot.
        ([61.0, 55.0], "ALERT"),
        ([61.0, 45.0], "NOT_READY"),
        # No sensor can measure that: minus one degree read as an unsigned number.
        ([20.0, 255.0], "NOT_READY"),
        ([61.0, None], "ALERT"),
    ],
)
def test_alert_of_fire(temperatures: list[float | None], reason: str) -> None:
    rows = [reading(1 - place, 0.2, temperature_c=value) for place, value in enumerate(temperatures)]

    due = state(rows).due

    assert due.reason == reason
    assert due.priority == (100 if reason == "ALERT" else 0)


def test_alert_of_bin_on_its_side() -> None:
    once = [reading(2, 0.2), reading(1, 0.2), reading(0, 0.2, tilt_deg=85)]
    twice = [reading(2, 0.2), reading(1, 0.2, tilt_deg=85), reading(0, 0.2, tilt_deg=85)]

    assert state(once).due.reason == "NOT_READY"
    assert state(twice).due.reason == "ALERT"
    assert state(twice).due.explanation == "Lies on its side since Sun 11:00."


def test_out_of_service_is_respected_until_then() -> None:
    rules = Rules(out_of_service_until=NOW + HOUR)
    rows = hourly([0.9, 0.9])

    due = state(rows, rules=rules).due

    assert (due.reason, due.explanation) == ("NOT_READY", "Out of service until Sun 13:00.")
    assert state(rows, rules=rules, now=NOW + HOUR).due.reason == "FULLNESS"
