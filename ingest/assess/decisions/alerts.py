"""What is wrong at a bin that somebody has to know of: when an alert opens, stays, closes and opens again. Pure.

Opening and closing ask for different things, so that nothing flaps: an alert opens when its condition is sure and has
held for a while, stays open while the condition holds at all, closes after a quiet time, and goes on as the same alert
when the condition comes back soon.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingest.assess.decisions.conditions import Condition

NAMES = {
    "fire": "Fire",
    "tilt": "Bin on its side",
    "obstruction": "Sensor obstructed",
    "silent": "Sensor silent",
    "stuck": "Sensor stuck",
    "unreliable": "Sensor unreliable",
    "battery": "Battery low",
    "certificate": "Certificate ends",
}
TYPES = tuple(NAMES)
"""The most severe first."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the alerts of one type follow their condition.

    Attributes:
        opens_after: so long the condition has to hold first.
        closes_after: so long it has to be away.
        reopens_within: an alert that closed no longer ago goes on instead of a new one.
    """

    opens_after: timedelta
    closes_after: timedelta
    reopens_within: timedelta


def _pace(opens_after_h: float, closes_after_h: float, reopens_within_h: float) -> Pace:
    return Pace(*(timedelta(hours=hours) for hours in (opens_after_h, closes_after_h, reopens_within_h)))


PACES = {
    "fire": _pace(0, 1, 3),
    # A crew tips a bin for a minute; a bin on its side is seen by two reports.
    "tilt": _pace(0.5, 2, 24),
    "obstruction": _pace(6, 6, 72),
    # Trouble of the mobile network is over by then, mostly.
    "silent": _pace(24, 1, 72),
    "stuck": _pace(24, 12, 168),
    "unreliable": _pace(24, 24, 168),
    "battery": _pace(0, 48, 168),
    "certificate": _pace(0, 1, 24),
}
LONGEST_REOPENING = max(pace.reopens_within for pace in PACES.values())


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of one bin; all instants are aware.

    Attributes:
        type: one of `TYPES`.
        since: when the trouble began, as far as was known when it opened.
        text: what was last seen, in a sentence.
        opened_at: when it opened first.
        observed_at: when its condition last held.
        closed_at: None while it is open.
        id: of its row; None until it has one.
    """

    type: str
    since: datetime
    text: str
    opened_at: datetime
    observed_at: datetime
    closed_at: datetime | None = None
    id: int | None = None


def reconcile(known: Sequence[Alert], found: Iterable[Condition], now: datetime) -> list[Alert]:
    """Bring the alerts of one bin to what is wrong now.

    Args:
        known: its open alerts, and those that closed within `LONGEST_REOPENING`; at most one open of each type.
        found: from `conditions`, at most one of each type.
        now: aware.

    Returns:
        The alerts that are new or have changed, as they are from now on.
    """
    here = {condition.type: condition for condition in found}
    latest = {
        alert.type: alert for alert in sorted(known, key=lambda alert: (alert.closed_at is None, alert.opened_at))
    }
    changed = []
    for type_ in {**latest, **here}:
        before = latest.get(type_)
        after = _follow(before, here.get(type_), now)
        if after is not None and after != before:
            changed.append(after)
    return changed


def _follow(alert: Alert | None, condition: Condition | None, now: datetime) -> Alert | None:
    if alert is not None and alert.closed_at is None:
        return _stay(alert, condition, now)
    if condition is None or not condition.sure:
        return alert
    pace = PACES[condition.type]
    if now - condition.since < pace.opens_after:
        return alert
    if alert is not None and alert.closed_at is not None and now - alert.closed_at < pace.reopens_within:
        return replace(alert, closed_at=None, observed_at=max(now, alert.observed_at), text=condition.text)
    return Alert(condition.type, min(condition.since, now), condition.text, opened_at=now, observed_at=now)


def _stay(alert: Alert, condition: Condition | None, now: datetime) -> Alert:
    if condition is not None:
        return replace(alert, observed_at=max(now, alert.observed_at), text=condition.text)
    if now - alert.observed_at < PACES[alert.type].closes_after:
        return alert
    return replace(alert, closed_at=now)
