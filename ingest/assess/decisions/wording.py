"""How moments and amounts are written in the sentences that a depot manager reads.

All bins are looked at once a minute, so this is written to be cheap: `strftime` takes ten times as long.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Further away, a weekday would be ambiguous.
WEEKDAY_FOR = timedelta(days=6)
# Chances are told in steps: a sentence that changes with every minute is read by nobody and stored for nothing.
CHANCE_STEP = 0.05
# Times to come are told to the half hour, for the same reason.
GUESS_STEP = timedelta(minutes=30)


def percent(share: float) -> str:
    """Write a level or share, 0..1."""
    return f"{share * 100:.0f}%"


def chance(share: float) -> str:
    """Write a chance, 0..1, in steps of 5%; never as certain either way."""
    return percent(min(max(round(share / CHANCE_STEP), 1), round(1 / CHANCE_STEP) - 1) * CHANCE_STEP)


def days(span: timedelta) -> str:
    """Write how often something has to happen, after `every`."""
    count = span / timedelta(days=1)
    return "day" if count == 1 else f"{count:g} days"


def when(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write a moment in the council's time: with the weekday for some days, then with the date."""
    local = moment.astimezone(zone)
    clock = f"{local.hour:02}:{local.minute:02}"
    if abs(now - moment) < WEEKDAY_FOR:
        return f"{WEEKDAYS[local.weekday()][:3]} {clock}"
    year = "" if local.year == now.astimezone(zone).year else f" {local.year}"
    return f"{local.day} {MONTHS[local.month - 1]}{year} {clock}"


def about(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write a moment that is only likely, to the half hour."""
    rest = timedelta(minutes=moment.minute % 30, seconds=moment.second, microseconds=moment.microsecond)
    return when(moment - rest + (GUESS_STEP if 2 * rest >= GUESS_STEP else timedelta()), now, zone)


def round_that_ends(ends_at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Name the round that ends then, such as `tomorrow's round`."""
    local = ends_at.astimezone(zone)
    ahead = (local.date() - now.astimezone(zone).date()).days
    if ahead in {0, 1}:
        return "tomorrow's round" if ahead else "today's round"
    if 0 < ahead < WEEKDAY_FOR.days:
        return f"{WEEKDAYS[local.weekday()]}'s round"
    return f"the round of {local.day} {MONTHS[local.month - 1]}"
