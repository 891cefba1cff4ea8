"""What the pages call things: the codes of reasons, classes, sensors and streams in a depot's own words."""

from datetime import datetime, timedelta

REASONS = {
    "FULLNESS": "Full",
    "FORECAST": "Soon full",
    "AGE": "Long since emptied",
    "ALERT": "Alert",
    "STALE": "Sensor trouble",
    "NOT_READY": "Not due",
}
CLASSES = {"must_go": "Must go", "may_go": "May go"}
SENSORS = {"none": "No sensor", "ok": "Working", "silent": "Silent", "rejected": "Readings rejected"}
STREAMS = {
    "general": "General",
    "recycling": "Recycling",
    "paper": "Paper",
    "glass": "Glass",
    "organic": "Organic",
    "bottles_cans": "Bottles and cans",
}
ADVICE = {
    "always_full": "Too small",
    "more_visits": "More visits",
    "fewer_visits": "Fewer visits",
    "never_full": "Hardly used",
    "as_it_is": "About right",
    "unknown": "Not known for long enough",
}
NOTICES = {"none": "Nobody told", "waiting": "Being told", "sent": "Told", "failed": "Could not be told"}
OUTCOMES = {
    "confirmed": "seen and reported",
    "seen": "seen by the sensor",
    "unseen": "reported",
    "contradicted": "missed: the level did not fall",
}
QUALITIES = ("Unchecked", "Rejected", "Probably wrong", "Doubtful", "Accepted")
NOTHING = "—"

_STEPS = ((86400 * 2, 86400, "d"), (3600 * 2, 3600, "h"), (60, 60, "min"))


def percent(fill_level: float | None) -> str:
    """Say a level, 0..1, in whole percent."""
    return NOTHING if fill_level is None else f"{fill_level:.0%}"


def duration(length: timedelta) -> str:
    """Say a length of time in its largest sensible unit, such as `3 h`."""
    seconds = max(0, int(length.total_seconds()))
    for least, unit_s, unit in _STEPS:
        if seconds >= least:
            return f"{seconds // unit_s} {unit}"
    return "under 1 min"


def ago(moment: datetime | None, now: datetime) -> str:
    """Say how long ago something was."""
    return "never" if moment is None else f"{duration(now - moment)} ago"


def clock(moment: datetime | None, now: datetime) -> str:
    """Say a moment in the zone of `now`: the time alone today, with the day before that."""
    if moment is None:
        return NOTHING
    local = moment.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d %H:%M}"
