"""Whether a bin is due, why, how urgently, and the sentence that says so to a depot manager.

Reasons, the first that holds: ALERT (fire, or the bin lies on its side), FULLNESS (it reached its threshold), AGE (its
last emptying is too long ago), STALE (its sensor says nothing that can be believed, so it is served as if it had none).
The class is the most urgent one of all reasons that hold.

| reason | may go | must go |
|---|---|---|
| ALERT | - | at once |
| FULLNESS | from the threshold | from 95%, or when it has been full for a day |
| AGE | from the maximum age | from one and a half times the maximum age |
| STALE | at once | when the last emptying (else the last level) is older than the maximum age |
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.assess.findings import Findings
from ingest.assess.sensor import Sensor, sensor_health

# A single reading at the threshold counts when nothing has contradicted it for so long; two in a row count at once.
UNCONTRADICTED = timedelta(hours=2)
# A bin that has been full for so long must be emptied, and one that brims this soon.
FULL_WITHIN = timedelta(hours=24)
BRIMMING_WITHIN = timedelta(hours=4)
AGE_MUST_GO = 1.5
# Older than this, a weekday would be ambiguous.
WEEKDAY_FOR = timedelta(days=6)

MUST_GO, MAY_GO = "must_go", "may_go"
# Priorities: may-go bins are 1..59, must-go bins 60..100.
LEAST_MUST, MOST_MAY = 60, 59


@dataclass(frozen=True, slots=True)
class Rules:
    """What the council wants of one bin.

    Attributes:
        threshold: level 0..1 from which it is due.
        max_age: time after the last emptying from which it is due.
        out_of_service_until: it is not due before; None when it is in service.
        zone: the council's time zone, for sentences.
    """

    threshold: float = 0.8
    max_age: timedelta = timedelta(days=7)
    out_of_service_until: datetime | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/London"))


@dataclass(frozen=True, slots=True)
class Due:
    """The decision on one bin.

    Attributes:
        sensor: `none`, `ok`, `silent` or `rejected`.
        reason: `ALERT`, `FULLNESS`, `AGE`, `STALE` or `NOT_READY`.
        due_class: `must_go` or `may_go`; None when not due.
        priority: 0..100, higher first; 0 when not due.
        due_since: since when the reason holds; None when not due.
        due_by: when it should be emptied at the latest; None when not due.
        explanation: one sentence.
    """

    sensor: str
    reason: str
    due_class: str | None
    priority: int
    due_since: datetime | None
    due_by: datetime | None
    explanation: str


def decide(
    findings: Findings, sensor: Sensor | None, last_emptied_at: datetime | None, rules: Rules, now: datetime
) -> Due:
    """Decide whether a bin is due at `now`.

    Time alone makes bins due, never not due.

    Args:
        findings: what its readings say; empty for a bin without a sensor.
        sensor: the one that sits in it; None when there is none.
        last_emptied_at: newest known emptying, whoever reported it; None when none is known.
        rules: of that bin.
        now: aware.
    """
    health = sensor_health(findings, sensor, now)
    case = _Case(findings, sensor, health, last_emptied_at, rules, now)
    if rules.out_of_service_until is not None and now < rules.out_of_service_until:
        text = f"Out of service until {_when(rules.out_of_service_until, case)}."
        return Due(health, "NOT_READY", None, 0, None, None, text)
    found = [due for due in (_alert(case), _fullness(case), _age(case), _stale(case)) if due is not None]
    if not found:
        return Due(health, "NOT_READY", None, 0, None, None, _not_due(case))
    first = found[0]
    return Due(
        sensor=health,
        reason=first.reason,
        due_class=MUST_GO if any(due.must for due in found) else MAY_GO,
        priority=max(due.priority for due in found),
        due_since=first.since,
        due_by=min(due.by for due in found),
        explanation=first.text,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    findings: Findings
    sensor: Sensor | None
    health: str
    last_emptied_at: datetime | None
    rules: Rules
    now: datetime


@dataclass(frozen=True, slots=True)
class _Ground:
    """One reason that holds."""

    reason: str
    must: bool
    priority: int
    since: datetime
    by: datetime
    text: str


def _ground(reason: str, urgency: float, since: datetime, by: datetime, text: str, *, must: bool) -> _Ground:
    """Build a ground; `urgency` is 0..1 within its class."""
    share = min(max(urgency, 0.0), 1.0)
    priority = LEAST_MUST + (100 - LEAST_MUST) * share if must else 1 + (MOST_MAY - 1) * share
    return _Ground(reason, must, int(priority), since, by, text)


def _alert(case: _Case) -> _Ground | None:
    findings = case.findings
    if findings.hot_since is not None:
        text = f"{findings.temperature_c:.0f} °C inside since {_when(findings.hot_since, case)}: it may be on fire."
        return _ground("ALERT", 1.0, findings.hot_since, findings.hot_since, text, must=True)
    if findings.tilted_since is not None:
        text = f"Lies on its side since {_when(findings.tilted_since, case)}."
        by = findings.tilted_since + BRIMMING_WITHIN
        return _ground("ALERT", 0.5, findings.tilted_since, by, text, must=True)
    return None


def _fullness(case: _Case) -> _Ground | None:
    findings, now = case.findings, case.now
    since, level, measured_at = findings.full_since, findings.level, findings.measured_at
    if since is None or level is None or measured_at is None:
        return None
    if not findings.full_confirmed and now - since < UNCONTRADICTED:
        return None
    if case.last_emptied_at is not None and case.last_emptied_at > measured_at:
        return None
    brimming = findings.brimming_since
    by = since + FULL_WITHIN if brimming is None else min(since + FULL_WITHIN, brimming + BRIMMING_WITHIN)
    must = brimming is not None or now - since >= FULL_WITHIN
    threshold = case.rules.threshold
    above = max(0.0, level - threshold) / max(1.0 - threshold, 0.01)
    overdue = max(timedelta(), now - since) / (3 * FULL_WITHIN)
    urgency = 0.5 * above + 0.5 * overdue if must else 0.6 + 0.4 * above
    text = f"{_percent(level)} full since {_when(since, case)}; threshold {_percent(threshold)}{_silence(case)}."
    return _ground("FULLNESS", urgency, since, by, text, must=must)


def _age(case: _Case) -> _Ground | None:
    emptied_at, max_age = case.last_emptied_at, case.rules.max_age
    if emptied_at is None or case.now - emptied_at < max_age:
        return None
    ratio = (case.now - emptied_at) / max_age
    must = ratio >= AGE_MUST_GO
    urgency = (ratio - AGE_MUST_GO) / AGE_MUST_GO if must else (ratio - 1) / (AGE_MUST_GO - 1)
    text = f"Last emptied {_when(emptied_at, case)}; at least every {_days(max_age)}{_silence(case)}."
    return _ground("AGE", urgency, emptied_at + max_age, emptied_at + AGE_MUST_GO * max_age, text, must=must)


def _stale(case: _Case) -> _Ground | None:
    if case.sensor is None or case.health == "ok":
        return None
    findings = case.findings
    heard_at = findings.newest_at or case.sensor.fitted_at
    since = heard_at
    if case.health == "rejected":
        since = findings.rejected_since or findings.measured_at or heard_at
    known_at = case.last_emptied_at or findings.measured_at or case.sensor.fitted_at
    ratio = (case.now - known_at) / case.rules.max_age
    must = ratio >= 1
    text = f"{_trouble(case)[:1].upper()}{_trouble(case)[1:]}: served as if it had no sensor."
    return _ground("STALE", ratio - 1 if must else ratio, since, known_at + case.rules.max_age, text, must=must)


def _trouble(case: _Case) -> str:
    findings = case.findings
    if case.health == "rejected":
        since = findings.rejected_since or findings.measured_at or case.now
        why = findings.rejected_reason or "no level"
        return f"sensor sees nothing it can rely on since {_when(since, case)} ({why})"
    if findings.newest_at is None:
        fitted_at = case.sensor.fitted_at if case.sensor else case.now
        return f"sensor, fitted {_when(fitted_at, case)}, has not reported yet"
    level = "" if findings.level is None else f", {_percent(findings.level)} full then"
    return f"sensor silent since {_when(findings.newest_at, case)}{level}"


def _silence(case: _Case) -> str:
    return f"; {_trouble(case)}" if case.sensor is not None and case.health != "ok" else ""


def _not_due(case: _Case) -> str:
    level, measured_at = case.findings.level, case.findings.measured_at
    if case.sensor is not None and level is not None and measured_at is not None:
        waiting = " in one reading, which the next has to confirm" if case.findings.full_since is not None else ""
        return f"{_percent(level)} full{waiting}; threshold {_percent(case.rules.threshold)}."
    if case.last_emptied_at is not None:
        return f"No sensor; last emptied {_when(case.last_emptied_at, case)}."
    return "No sensor, and no known emptying."


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%"


def _days(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return "day" if days == 1 else f"{days:g} days"


def _when(moment: datetime, case: _Case) -> str:
    """Write a moment in the council's time: with the weekday for some days, then with the date."""
    local = moment.astimezone(case.rules.zone)
    if abs(case.now - moment) < WEEKDAY_FOR:
        return f"{local:%a %H:%M}"
    year = "" if local.year == case.now.astimezone(case.rules.zone).year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"
