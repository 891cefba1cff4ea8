"""Bins that are due by what is forecast of them. The horizon is the end of tomorrow's round, in 25 hours."""

from dataclasses import replace
from datetime import datetime

import pytest

from ingest.assess.decisions.due import Due, Request, Rules, decide
from ingest.assess.forecasts.forecast import Forecast
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.sensor import Sensor
from tests.unit.assess.bins import DAY, HOUR, NOW
from tests.unit.assess.forecasts import forecast, never, passage

HORIZON = NOW + 25 * HOUR
SENSOR = Sensor(NOW - 28 * DAY, 3600, NOW)
HALF_FULL = Findings(level=0.5, quality=4, measured_at=NOW, newest_at=NOW)
FULL = replace(HALF_FULL, level=0.85, full_since=NOW - 2 * HOUR, full_confirmed=True)


def due(
    ahead: Forecast | None,
    findings: Findings = HALF_FULL,
    *,
    now: datetime = NOW,
    emptied_at: datetime | None = None,
    rules: Rules | None = None,
    before: Due | None = None,
) -> Due:
    rules = rules or Rules()
    return decide(findings, SENSOR, emptied_at, rules, now, forecast=ahead, horizon=HORIZON, before=before)


def with_chance(share: float) -> Forecast:
    """A forecast with this chance to overflow before the horizon."""
    return forecast(25 - 10 * (share - 0.5), 15)


@pytest.mark.parametrize(
    ("share", "reason", "due_class"),
    [
        (0.05, "NOT_READY", None),
        (0.10, "NOT_READY", None),
        # One in nine.
        (0.12, "FORECAST", "may_go"),
        (0.32, "FORECAST", "may_go"),
        # One in three.
        (0.35, "FORECAST", "must_go"),
        (0.95, "FORECAST", "must_go"),
    ],
)
def test_chance_of_overflow_makes_due(share: float, reason: str, due_class: str | None) -> None:
    decision = due(with_chance(share))

    assert (decision.reason, decision.due_class) == (reason, due_class)


def test_forecast_is_told_in_words_of_a_depot() -> None:
    assert due(forecast(27, 21.2)) == Due(
        sensor="ok",
        reason="FORECAST",
        due_class="may_go",
        priority=27,
        due_since=NOW,
        due_by=NOW + 23 * HOUR,
        explanation="Likely to reach 80% by Mon 09:00 (30% to overflow before tomorrow's round ends).",
    )


@pytest.mark.parametrize(
    ("ahead", "explanation"),
    [
        # The threshold is past already, though no reading says so.
        (forecast(20, -1), "Likely over 80% by now (95% to overflow before tomorrow's round ends)."),
        # A rare overflow: the threshold itself is unlikely before the horizon.
        (forecast(90, 40, 100), "May overflow before tomorrow's round ends (20%)."),
        (Forecast(never(), passage(24)), "May overflow before tomorrow's round ends (60%)."),
    ],
)
def test_forecast_says_only_what_it_knows(ahead: Forecast, explanation: str) -> None:
    assert due(ahead).explanation == explanation


@pytest.mark.parametrize(
    ("days", "name"),
    [(0, "today's round"), (1, "tomorrow's round"), (3, "Wednesday's round"), (9, "the round of 10 Mar")],
)
def test_horizon_is_named_as_people_do(days: int, name: str) -> None:
    horizon = NOW + days * DAY + HOUR

    decision = decide(HALF_FULL, SENSOR, None, Rules(), NOW, forecast=forecast(-100, 9e3), horizon=horizon)

    assert decision.explanation == f"May overflow before {name} ends (95%)."


def test_without_horizon_or_forecast_or_sensor_nothing_is_forecast() -> None:
    ahead = forecast(1)

    assert due(None).reason == "NOT_READY"
    assert decide(HALF_FULL, SENSOR, None, Rules(), NOW, forecast=ahead).reason == "NOT_READY"
    assert decide(Findings(), None, NOW - DAY, Rules(), NOW, forecast=ahead, horizon=HORIZON).reason == "NOT_READY"


def test_more_harm_is_more_urgent() -> None:
    chances = [0.12, 0.2, 0.3, 0.4, 0.6, 0.8, 0.95]
    sooner = forecast(5)

    priorities = [due(with_chance(share)).priority for share in chances] + [due(sooner).priority]

    assert priorities == sorted(set(priorities))
    assert priorities[2] < 60 <= priorities[3]


def test_full_bin_is_as_urgent_as_its_forecast() -> None:
    slow, fast = due(forecast(300), FULL), due(forecast(10), FULL)

    assert [(one.reason, one.due_class) for one in (slow, fast)] == [("FULLNESS", "may_go"), ("FULLNESS", "must_go")]
    assert slow.priority < due(with_chance(0.2)).priority < fast.priority
    assert slow.explanation == fast.explanation == "85% full since Sun 10:00; threshold 80%."


def test_hovering_forecast_does_not_flap() -> None:
    decision, seen = None, []
    for minute, share in enumerate([0.09, 0.12, 0.10, 0.12, 0.08, 0.13, 0.07] * 60):
        now = NOW + minute * HOUR / 60
        decision = due(with_chance(share), replace(HALF_FULL, measured_at=now, newest_at=now), now=now, before=decision)
        seen.append((decision.reason, decision.due_class, decision.due_since))

    assert seen == [("NOT_READY", None, None)] + [("FORECAST", "may_go", NOW + HOUR / 60)] * (len(seen) - 1)


def test_forecast_between_may_and_must_does_not_flap() -> None:
    decision = due(with_chance(0.35))
    for share in (0.30, 0.35, 0.25, 0.22):
        decision = due(with_chance(share), before=decision)
        assert decision.due_class == "must_go"

    assert due(with_chance(0.18), before=decision).due_class == "may_go"


def test_forecast_that_was_wrong_is_taken_back_after_a_while() -> None:
    before = due(with_chance(0.5))
    soon, later = NOW + HOUR, NOW + 3 * HOUR

    assert due(with_chance(0.01), replace(HALF_FULL, newest_at=soon), now=soon, before=before).reason == "FORECAST"
    assert due(with_chance(0.01), replace(HALF_FULL, newest_at=later), now=later, before=before).reason == "NOT_READY"


def test_due_since_stays_while_the_reason_holds() -> None:
    rejected = replace(HALF_FULL, rejected_count=3, rejected_reason="no echo")
    first = due(None, replace(rejected, rejected_since=NOW - 3 * HOUR))

    # One reading was believed, then three were rejected again.
    second = due(None, replace(rejected, rejected_since=NOW - HOUR), before=first)

    assert (second.reason, second.due_since) == ("STALE", NOW - 3 * HOUR)
    assert "since Sun 11:00" in second.explanation


def test_emptying_ends_what_was_forecast_at_once() -> None:
    before = due(with_chance(0.5))
    emptied_at = NOW + HOUR / 3

    decision = due(with_chance(0.08), now=NOW + HOUR / 2, emptied_at=emptied_at, before=before)

    assert decision.reason == "NOT_READY"


@pytest.mark.parametrize(
    ("silent", "ahead", "due_class", "explanation"),
    [
        (True, forecast(-1), "must_go", "silent since Sat 02:00, 60% full then, likely full by now"),
        (True, forecast(30, -2), "may_go", "silent since Sat 02:00, 60% full then, likely over 80% by now"),
        (True, forecast(300), "may_go", "silent since Sat 02:00, 60% full then"),
        (False, forecast(-1), "must_go", "sees nothing it can rely on since Sun 10:00 (no echo), 60% full before,"),
    ],
)
def test_bin_with_a_sensor_that_says_nothing_is_stale_and_as_urgent_as_forecast(
    silent: bool, ahead: Forecast, due_class: str, explanation: str
) -> None:
    then = NOW - 34 * HOUR
    findings = replace(HALF_FULL, level=0.6, measured_at=then, newest_at=then if silent else NOW)
    if not silent:
        findings = replace(findings, rejected_count=3, rejected_since=NOW - 2 * HOUR, rejected_reason="no echo")

    decision = due(ahead, findings)

    assert (decision.sensor, decision.reason) == ("silent" if silent else "rejected", "STALE")
    assert decision.due_class == due_class
    assert explanation in decision.explanation
    assert decision.explanation.endswith(": served as if it had no sensor.")


def test_request_by_hand_holds_until_emptied() -> None:
    rules = Rules(request=Request(NOW - HOUR, "overflowing, says a caller."))

    decision = due(None, rules=rules)

    assert (decision.reason, decision.due_class, decision.due_since) == ("ALERT", "must_go", NOW - HOUR)
    assert decision.due_by == NOW + 23 * HOUR
    assert decision.explanation == "Asked for by hand Sun 11:00: overflowing, says a caller."
    assert due(None, rules=rules, emptied_at=NOW - 2 * HOUR).reason == "ALERT"
    assert due(None, rules=rules, emptied_at=NOW - HOUR / 2).reason == "NOT_READY"
    assert due(None, rules=Rules(request=Request(NOW - HOUR))).explanation == "Asked for by hand Sun 11:00."


def test_request_for_a_bin_out_of_service_waits() -> None:
    rules = Rules(request=Request(NOW - HOUR), out_of_service_until=NOW + DAY)

    assert due(forecast(1), rules=rules).reason == "NOT_READY"
    assert due(None, rules=rules, now=NOW + DAY).reason == "ALERT"
