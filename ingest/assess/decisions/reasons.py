"""The reasons for which a bin is due, each with its class, priority, times and sentence; `due` picks among them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.assess.decisions.outlook import MUST_GO_CHANCE, Outlook
from ingest.assess.decisions.rules import Rules
from ingest.assess.decisions.wording import about, chance, days, percent, round_that_ends, when
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.sensor import Sensor

# A single reading at the threshold counts when nothing has contradicted it for so long; two in a row count at once.
UNCONTRADICTED = timedelta(hours=2)
# A bin that has been full, or asked for, so long must have been emptied, and one that brims this soon.
FULL_WITHIN = timedelta(hours=24)
BRIMMING_WITHIN = timedelta(hours=4)
AGE_MUST_GO = 1.5

# Priorities: may-go bins are 1..59, must-go bins 60..100.
LEAST_MUST, MOST_MAY = 60, 59
# The most urgent that a forecast alone can be, within must-go: what overflows already, and fires, come before it.
FORECAST_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of a bin; fields as the arguments of `decide`.

    Attributes:
        health: of the sensor: `none`, `ok`, `silent` or `rejected`.
        believed_since: while a rejected sensor recovers, the first reading of it that was believed again; else None.
        outlook: what is to be feared before the horizon; None without a forecast that still holds.
        denied_at: an emptying that was reported since the last one, and that the sensor contradicts; None for none.
    """

    findings: Findings
    sensor: Sensor | None
    health: str
    believed_since: datetime | None
    last_emptied_at: datetime | None
    rules: Rules
    now: datetime
    outlook: Outlook | None
    denied_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason that holds."""

    reason: str
    must: bool
    priority: int
    since: datetime
    by: datetime
    text: str


def _ground(reason: str, urgency: float, since: datetime, by: datetime, text: str, *, must: bool) -> Ground:
    """Build a ground; `urgency` is 0..1 within its class."""
    share = min(max(urgency, 0.0), 1.0)
    priority = LEAST_MUST + (100 - LEAST_MUST) * share if must else 1 + (MOST_MAY - 1) * share
    return Ground(reason, must, int(priority), since, by, text)


def alert(case: Case) -> Ground | None:
    """Hold when the bin is hot as a fire, or lies on its side."""
    findings = case.findings
    if findings.hot_since is not None:
        text = f"{findings.temperature_c:.0f} °C inside since {_when(findings.hot_since, case)}: it may be on fire."
        return _ground("ALERT", 1.0, findings.hot_since, findings.hot_since, text, must=True)
    if findings.tilted_since is not None:
        text = f"Lies on its side since {_when(findings.tilted_since, case)}."
        by = findings.tilted_since + BRIMMING_WITHIN
        return _ground("ALERT", 0.5, findings.tilted_since, by, text, must=True)
    return None


def request(case: Case) -> Ground | None:
    """Hold from when somebody at the council asked for the bin until it was emptied, whoever says so."""
    asked = case.rules.request
    if asked is None or (case.last_emptied_at is not None and case.last_emptied_at > asked.requested_at):
        return None
    note = f": {asked.note.rstrip('.')}" if asked.note else ""
    text = f"Asked for by hand {_when(asked.requested_at, case)}{note}{_silence(case)}."
    return _ground("ALERT", 0.25, asked.requested_at, asked.requested_at + FULL_WITHIN, text, must=True)


def fullness(case: Case) -> Ground | None:
    """Hold when the level has reached the threshold, and nobody has emptied the bin since."""
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
    # Where there is a forecast, it says better than the level how urgent a full bin is.
    urgency = 0.5 * above + 0.5 * overdue if must else 0.4 * above + (0.6 if case.outlook is None else 0.0)
    also = _missed(case) + _silence(case)
    text = f"{percent(level)} full since {_when(since, case)}; threshold {percent(threshold)}{also}."
    return _ground("FULLNESS", urgency, since, by, text, must=must)


def forecast(case: Case) -> Ground | None:
    """Hold when the chance that the bin overflows before the horizon is too high."""
    outlook = case.outlook
    if outlook is None or not outlook.may:
        return None
    urgency = outlook.harm * FORECAST_MOST if outlook.must else outlook.harm / MUST_GO_CHANCE
    return _ground("FORECAST", urgency, outlook.since, outlook.by, _fear(case, outlook), must=outlook.must)


def age(case: Case) -> Ground | None:
    """Hold when the last emptying is longer ago than the council wants."""
    emptied_at, max_age = case.last_emptied_at, case.rules.max_age
    if emptied_at is None or case.now - emptied_at < max_age:
        return None
    ratio = (case.now - emptied_at) / max_age
    must = ratio >= AGE_MUST_GO
    urgency = (ratio - AGE_MUST_GO) / AGE_MUST_GO if must else (ratio - 1) / (AGE_MUST_GO - 1)
    text = f"Last emptied {_when(emptied_at, case)}; at least every {days(max_age)}{_missed(case)}{_silence(case)}."
    return _ground("AGE", urgency, emptied_at + max_age, emptied_at + AGE_MUST_GO * max_age, text, must=must)


def stale(case: Case) -> Ground | None:
    """Hold when the sensor is silent or cannot be believed."""
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
    trouble = _trouble(case)
    text = f"{trouble[:1].upper()}{trouble[1:]}: served as if it had no sensor."
    return _ground("STALE", ratio - 1 if must else ratio, since, known_at + case.rules.max_age, text, must=must)


def not_due(case: Case) -> str:
    """Say why the bin is not due."""
    level, measured_at = case.findings.level, case.findings.measured_at
    if case.sensor is not None and level is not None and measured_at is not None:
        waiting = " in one reading, which the next has to confirm" if case.findings.full_since is not None else ""
        return f"{percent(level)} full{waiting}; threshold {percent(case.rules.threshold)}{_missed(case)}."
    if case.last_emptied_at is not None:
        return f"No sensor; last emptied {_when(case.last_emptied_at, case)}."
    return "No sensor, and no known emptying."


def _fear(case: Case, outlook: Outlook) -> str:
    now, zone, over_at = case.now, case.rules.zone, outlook.forecast.threshold.p50
    before = f"before {round_that_ends(outlook.horizon, now, zone)} ends"
    odds, full_enough = chance(outlook.chance), percent(case.rules.threshold)
    if over_at is None or over_at >= outlook.horizon:
        return f"May overflow {before} ({odds})."
    if over_at <= now:
        return f"Likely over {full_enough} by now ({odds} to overflow {before})."
    return f"Likely to reach {full_enough} by {about(over_at, now, zone)} ({odds} to overflow {before})."


def _trouble(case: Case) -> str:
    findings = case.findings
    if case.believed_since is not None:
        again = f"sensor is believed again only since {_when(case.believed_since, case)}"
        return f"{again}{_last_known(case, 'now')}"
    if case.health == "rejected":
        since = findings.rejected_since or findings.measured_at or case.now
        why = findings.rejected_reason or "no level"
        return f"sensor sees nothing it can rely on since {_when(since, case)} ({why}){_last_known(case, 'before')}"
    if findings.newest_at is None:
        fitted_at = case.sensor.fitted_at if case.sensor else case.now
        return f"sensor, fitted {_when(fitted_at, case)}, has not reported yet"
    return f"sensor silent since {_when(findings.newest_at, case)}{_last_known(case, 'then')}"


def _last_known(case: Case, then: str) -> str:
    """Say how full the bin was when its sensor was last believed, and what has likely become of it."""
    level, outlook = case.findings.level, case.outlook
    if level is None:
        return ""
    likely = ""
    if outlook is not None and _is_past(outlook.forecast.full.p50, case.now):
        likely = ", likely full by now"
    elif outlook is not None and _is_past(outlook.forecast.threshold.p50, case.now):
        likely = f", likely over {percent(case.rules.threshold)} by now"
    return f", {percent(level)} full {then}{likely}"


def _missed(case: Case) -> str:
    if case.denied_at is None:
        return ""
    return f"; reported as emptied {_when(case.denied_at, case)}, but its level did not fall"


def _silence(case: Case) -> str:
    return f"; {_trouble(case)}" if case.sensor is not None and case.health != "ok" else ""


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _when(moment: datetime, case: Case) -> str:
    return when(moment, case.now, case.rules.zone)
