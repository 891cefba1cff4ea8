"""Whether a bin is due, why, how urgently, and the sentence that says so to a depot manager.

Reasons, the first that holds: ALERT (fire, the bin lies on its side, or somebody asked for it), FULLNESS (it reached
its threshold), FORECAST (it may overflow before the horizon), AGE (its last emptying is too long ago), STALE (its
sensor says nothing that can be believed, so it is served as if it had none; what was forecast before then still counts
for its class). The class is the most urgent one of all reasons that hold.

| reason | may go | must go |
|---|---|---|
| ALERT | - | at once |
| FULLNESS | from the threshold | from 95%, or when it has been full for a day |
| FORECAST | from a chance of one in nine to overflow before the horizon | from one in three |
| AGE | from the maximum age | from one and a half times the maximum age |
| STALE | at once | when the last emptying (else the last level) is older than the maximum age |
"""

from dataclasses import dataclass
from datetime import datetime

from ingest.assess.decisions import reasons
from ingest.assess.decisions.outlook import Forecast, Held, look_ahead
from ingest.assess.decisions.reasons import Case
from ingest.assess.decisions.rules import Request, Rules
from ingest.assess.decisions.wording import when
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.sensor import Sensor, recovery, sensor_health

__all__ = ["MAY_GO", "MUST_GO", "Due", "Request", "Rules", "decide"]

MUST_GO, MAY_GO = "must_go", "may_go"
# These reasons are one and the same for as long as they hold; an ALERT may be another one.
_LASTING = frozenset({"FULLNESS", "FORECAST", "AGE", "STALE"})


@dataclass(frozen=True, slots=True)
class Due:
    """The decision on one bin.

    Attributes:
        sensor: `none`, `ok`, `silent` or `rejected`.
        reason: `ALERT`, `FULLNESS`, `FORECAST`, `AGE`, `STALE` or `NOT_READY`.
        due_class: `must_go` or `may_go`; None when not due.
        priority: 0..100, higher first; 0 when not due.
        due_since: since when the reason holds; None when not due.
        due_by: when it should be emptied at the latest; None when not due.
        explanation: one sentence.
        believed_since: while a rejected sensor recovers, the first reading of it that was believed again; else None.
    """

    sensor: str
    reason: str
    due_class: str | None
    priority: int
    due_since: datetime | None
    due_by: datetime | None
    explanation: str
    believed_since: datetime | None = None


def decide(
    findings: Findings,
    sensor: Sensor | None,
    last_emptied_at: datetime | None,
    rules: Rules,
    now: datetime,
    *,
    forecast: Forecast | None = None,
    horizon: datetime | None = None,
    before: Due | None = None,
    denied_at: datetime | None = None,
) -> Due:
    """Decide whether a bin is due at `now`.

    Without a forecast, time alone makes bins due, never not due.

    Args:
        findings: what its readings say; empty for a bin without a sensor.
        sensor: the one that sits in it; None when there is none.
        last_emptied_at: newest known emptying, whoever reported it; None when none is known.
        rules: of that bin.
        now: aware.
        forecast: from its newest believed level, or the emptying after it; None when there is none.
        horizon: until when it has to wait when it is left out now (`calendar.horizon`); None leaves forecasts out.
        before: the decision before this one, so that nothing flaps and `due_since` stays; None when it is not known.
        denied_at: newest emptying that was reported and that the sensor contradicts; None for none.
    """
    health = sensor_health(findings, sensor, now)
    believed_since = None
    if health == "ok" and before is not None and before.sensor == "rejected":
        health, believed_since = recovery(findings, before.believed_since)
    held = _held(before, last_emptied_at)
    outlook = None
    # Of a bin without a sensor a forecast knows the emptyings only: too little to send anybody.
    if forecast is not None and horizon is not None and sensor is not None:
        outlook = look_ahead(forecast, horizon, held, now)
    if rules.out_of_service_until is not None and now < rules.out_of_service_until:
        text = f"Out of service until {when(rules.out_of_service_until, now, rules.zone)}."
        return Due(health, "NOT_READY", None, 0, None, None, text)
    if denied_at is not None and last_emptied_at is not None and denied_at < last_emptied_at:
        denied_at = None
    case = Case(findings, sensor, health, believed_since, last_emptied_at, rules, now, outlook, denied_at)
    return _most_urgent(case, held)


def _most_urgent(case: Case, held: Held | None) -> Due:
    foretold = reasons.forecast(case)
    # A forecast from before a silence does not hide that the sensor is silent.
    first, last = (foretold, None) if case.health == "ok" else (None, foretold)
    grounds = (
        reasons.alert(case),
        reasons.request(case),
        reasons.fullness(case),
        first,
        reasons.age(case),
        reasons.stale(case),
        last,
    )
    found = [ground for ground in grounds if ground is not None]
    if not found:
        return Due(case.health, "NOT_READY", None, 0, None, None, reasons.not_due(case))
    since = found[0].since
    if held is not None and held.reason == found[0].reason:
        since = min(since, held.since)
    return Due(
        sensor=case.health,
        reason=found[0].reason,
        due_class=MUST_GO if any(ground.must for ground in found) else MAY_GO,
        priority=max(ground.priority for ground in found),
        due_since=since,
        due_by=min(ground.by for ground in found),
        explanation=found[0].text,
        believed_since=case.believed_since,
    )


def _held(before: Due | None, last_emptied_at: datetime | None) -> Held | None:
    """Say what of the decision before still counts; nothing of it after an emptying."""
    if before is None or before.due_since is None or before.reason not in _LASTING:
        return None
    if last_emptied_at is not None and last_emptied_at > before.due_since:
        return None
    return Held(before.reason, before.due_since, before.due_class == MUST_GO)
