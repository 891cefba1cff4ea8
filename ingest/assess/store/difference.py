"""Whether a state says anything that the one before did not: forecasts move a little all the time. Pure."""

from dataclasses import fields
from datetime import datetime, timedelta
from operator import attrgetter

from ingest.assess.decisions.due import Due
from ingest.assess.decisions.state import BinState, Moments, Prospect

# A moment that is foreseen has moved when it did by this much, and by this part of the time until then.
MOVED = timedelta(minutes=20)
MOVED_SHARE = 0.08
MOVED_CHANCE = 0.03
MOVED_PRIORITY = 3
# What counts however little it changed: all but what is looked at more closely.
_SETTLED = attrgetter(
    *(one.name for one in fields(BinState) if one.name not in {"due", "prospect"}),
    *(f"due.{one.name}" for one in fields(Due) if one.name not in {"priority", "due_by", "explanation"}),
)
_DIGITS = str.maketrans("", "", "0123456789")


def is_news(before: BinState | None, after: BinState, now: datetime) -> bool:
    """Say whether a state is worth writing down.

    Args:
        before: the one that was written last; None for none.
        after: the one that holds now.
        now: aware.
    """
    if before is None or _SETTLED(before) != _SETTLED(after):
        return True
    priority, was = after.due.priority, before.due.priority
    if after.due.reason != "FORECAST":
        same = priority == was and before.due.due_by == after.due.due_by
        same = same and before.due.explanation == after.due.explanation
    else:
        # All of them follow the forecast; numbers in the sentence may.
        same = abs(priority - was) < MOVED_PRIORITY and not _moved(before.due.due_by, after.due.due_by, now)
        same = same and _words(before) == _words(after)
    return not same or _is_other(before.prospect, after.prospect, now)


def _words(state: BinState) -> str:
    return state.due.explanation.translate(_DIGITS)


def _is_other(before: Prospect | None, after: Prospect | None, now: datetime) -> bool:
    if before is None or after is None:
        return before is not after
    if before.horizon_at != after.horizon_at:
        return True
    if abs((before.overflow_chance or 0.0) - (after.overflow_chance or 0.0)) >= MOVED_CHANCE:
        return True
    return _any_moved(before.threshold_at, after.threshold_at, now) or _any_moved(before.full_at, after.full_at, now)


def _any_moved(before: Moments, after: Moments, now: datetime) -> bool:
    return before != after and any(_moved(one, other, now) for one, other in zip(before, after, strict=True))


def _moved(before: datetime | None, after: datetime | None, now: datetime) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) > max(MOVED, MOVED_SHARE * abs(after - now))
