"""Whether a bin stands right: visited too often or too rarely, never full or always; and why, in numbers. Pure.

A bin's interval is the longest time after which nine of ten emptyings would still find it below its mark, from its
litres a day and how they vary. What cannot be told apart from chance is not advised: the rate counts at that end of its
uncertainty which speaks against the advice, and of a bin with too little history nothing is said.
"""

import math
from dataclasses import dataclass

ALWAYS_FULL, MORE_VISITS, FEWER_VISITS, NEVER_FULL = "always_full", "more_visits", "fewer_visits", "never_full"
AS_IT_IS, UNKNOWN = "as_it_is", "unknown"

# Less is too little to say anything.
LEAST_DAYS = 14
LEAST_EMPTYINGS = 4
# A bin that was found at this level or above was full, or about to be.
FULL = 0.95
# What an emptying should find at most in nine of ten cases.
MARK = 0.9
NINE_OF_TEN = 1.28
# How sure an advice has to be: one-sided, 19 of 20.
SURE = 1.64
# More of the time full, or of the emptyings found full (surely), is too much.
TOO_LONG_FULL = 0.05
TOO_OFTEN_FULL = 0.1
# A bin that is found full this often although it is emptied every day is too small.
MOSTLY_FULL = 0.5
# A bin is never full when it is emptied below this level, and when its largest allowed interval leaves it below.
NEVER_FULL_BELOW = 0.5
# Fewer visits have to be fewer by a third at least, of a bin that is well below its mark.
LONGER_BY = 1.5
WELL_BELOW = 0.6


@dataclass(frozen=True, slots=True)
class Use:
    """How one bin was used and emptied over a period.

    Attributes:
        capacity_l: litres that it holds.
        max_age_days: it is emptied at least so often, in days.
        period_days: how long the period is.
        litres: thrown in during `known_h`.
        known_h: hours of which use is known.
        full_h: hours in which it was full.
        days: local days of which nearly all is known.
        day_sd_l: standard deviation of the litres of those days; None for fewer than two.
        emptyings: how often it was emptied, as far as its level before is known.
        mean_fill: level before an emptying, 0..1, on average; None without one.
        sd_fill: its standard deviation; None for fewer than two.
        max_fill: the highest; None without one.
        found_full: how many of the emptyings found it at FULL or above.
    """

    capacity_l: float
    max_age_days: float
    period_days: int
    litres: float
    known_h: float
    full_h: float
    days: int
    day_sd_l: float | None
    emptyings: int
    mean_fill: float | None
    sd_fill: float | None
    max_fill: float | None
    found_full: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a bin.

    Attributes:
        kind: `always_full` (double it or add one), `more_visits`, `fewer_visits`, `never_full` (remove it or take a
            smaller one), `as_it_is`, or `unknown` (too little history).
        every_days: how often to empty it, in days; None where that is not the remedy.
        weight: how much is at stake, to sort by: full hours a week, or visits saved a week.
        sentence: why, in numbers.
    """

    kind: str
    every_days: float | None
    weight: float
    sentence: str


@dataclass(frozen=True, slots=True)
class _Rate:
    """How fast a bin fills: parts of it a day, at the least and at the most, and the standard deviation of a day."""

    least: float
    most: float
    sd: float


def advise(use: Use) -> Advice:
    """Say whether a bin is emptied as often, and is as large, as its use asks for."""
    if use.days < LEAST_DAYS or use.day_sd_l is None:
        return Advice(UNKNOWN, None, 0.0, f"Only {_count(use.days, 'whole day')} of use known: too little to say.")
    rate = _rate(use, use.day_sd_l)
    if _is_never_full(use, rate):
        return _never_full(use)
    if use.emptyings < LEAST_EMPTYINGS:
        return Advice(UNKNOWN, None, 0.0, f"Only {_count(use.emptyings, 'emptying')} seen: too little to say.")
    return _too_full(use, rate) or _too_empty(use, rate) or _as_it_is(use)


def _rate(use: Use, day_sd_l: float) -> _Rate:
    mean, sd = use.litres / use.known_h * 24 / use.capacity_l, day_sd_l / use.capacity_l
    error = SURE * sd / math.sqrt(use.days)
    return _Rate(max(0.0, mean - error), mean + error, sd)


def _longest(rate: float, sd: float, mark: float = MARK) -> float:
    """Give the days after which the level is below the mark in nine of ten cases; days differ independently."""
    if rate <= 0:
        return math.inf
    root = (math.sqrt((NINE_OF_TEN * sd) ** 2 + 4 * rate * mark) - NINE_OF_TEN * sd) / (2 * rate)
    return root**2


def _is_never_full(use: Use, rate: _Rate) -> bool:
    if use.full_h > 0 or (use.max_fill or 0.0) >= NEVER_FULL_BELOW:
        return False
    if use.emptyings == 0 and use.litres >= NEVER_FULL_BELOW * use.capacity_l:
        return False
    return _longest(rate.most, rate.sd, NEVER_FULL_BELOW) >= use.max_age_days


def _never_full(use: Use) -> Advice:
    seen = f"Not emptied in {_period(use)}; takes"
    if use.max_fill is not None:
        seen = f"At most {use.max_fill:.0%} full at {_times(use.emptyings)} in {_period(use)}; takes"
    text = f"{seen} {_daily(use)} a day, holds {use.capacity_l:.0f} l: remove it, or a smaller one would do."
    return Advice(NEVER_FULL, None, _visits_a_week(use), text)


def _too_full(use: Use, rate: _Rate) -> Advice | None:
    share_full = use.full_h / (use.full_h + use.known_h)
    if share_full < TOO_LONG_FULL and _surely(use.found_full, use.emptyings) < TOO_OFTEN_FULL:
        return None
    seen = f"Emptied {_count(use.emptyings, 'time')} in {_period(use)}, {_found_full(use)}"
    weight = 7 * use.full_h / use.period_days + use.found_full / use.emptyings
    if _longest(rate.least, rate.sd) < 1 and use.found_full >= MOSTLY_FULL * use.emptyings:
        text = f"{seen}; takes {_daily(use)} a day, holds {use.capacity_l:.0f} l: double it, or move one here."
        return Advice(ALWAYS_FULL, None, weight, text)
    every = _handy(min(_longest(_mean(rate), rate.sd), use.max_age_days))
    if every >= use.period_days / use.emptyings:
        # It fills in bursts: the average says that it is emptied often enough, its overflowing that it is not.
        every = _handy(0.75 * use.period_days / use.emptyings)
    return Advice(MORE_VISITS, every, weight, f"{seen}: {_every(every)} would do.")


def _too_empty(use: Use, rate: _Rate) -> Advice | None:
    if use.mean_fill is None or use.sd_fill is None or use.full_h > 0 or use.found_full > 0:
        return None
    now = use.period_days / use.emptyings
    every = _handy(min(_longest(rate.most, rate.sd), use.max_age_days))
    most = use.mean_fill + SURE * use.sd_fill / math.sqrt(use.emptyings)
    if every < LONGER_BY * now or most > WELL_BELOW:
        return None
    saved = 7 / now - 7 / every
    return Advice(FEWER_VISITS, every, saved, f"{_on_average(use)}: {_every(every)} would do.")


def _as_it_is(use: Use) -> Advice:
    return Advice(AS_IT_IS, None, 0.0, f"{_on_average(use)}: about right.")


def _on_average(use: Use) -> str:
    mean = 0.0 if use.mean_fill is None else use.mean_fill
    return f"Emptied {_count(use.emptyings, 'time')} in {_period(use)}, on average {mean:.0%} full"


def _found_full(use: Use) -> str:
    parts = [f"full at {use.found_full} of them"] if use.found_full else []
    if use.full_h >= 1:
        parts.append(f"full for {_count(round(use.full_h), 'hour')}")
    return " and ".join(parts) or "never quite full"


def _surely(hits: int, count: int) -> float:
    """Give the share that is surely reached (Wilson's lower bound, one-sided)."""
    share, square = hits / count, SURE**2
    spread = SURE * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return (share + square / (2 * count) - spread) / (1 + square / count)


def _mean(rate: _Rate) -> float:
    return (rate.least + rate.most) / 2


def _handy(days: float) -> float:
    """Round down to what can be planned: whole days, or twice a day."""
    return max(0.5, float(math.floor(days))) if days < math.inf else days


def _visits_a_week(use: Use) -> float:
    return 7 * use.emptyings / use.period_days


def _daily(use: Use) -> str:
    return f"{use.litres / use.known_h * 24:.0f} l"


def _every(days: float) -> str:
    return {0.5: "twice a day", 1.0: "every day"}.get(days, f"every {days:g} days")


def _period(use: Use) -> str:
    weeks, rest = divmod(use.period_days, 7)
    return _count(use.period_days, "day") if rest else _count(weeks, "week")


def _times(count: int) -> str:
    return "its emptying" if count == 1 else f"{count} emptyings"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
