from dataclasses import replace

import pytest

from ingest.assess.places.placement import Use, advise

FOUR_WEEKS = 28
# 120 litres, a sixth of it a day, emptied every day.
USE = Use(
    capacity_l=120,
    max_age_days=7,
    period_days=FOUR_WEEKS,
    litres=560,
    known_h=28 * 24 - 28,
    full_h=0,
    days=27,
    day_sd_l=8,
    emptyings=26,
    mean_fill=0.17,
    sd_fill=0.06,
    max_fill=0.6,
    found_full=0,
)


def test_bin_that_is_emptied_too_often_is_told_how_often_would_do() -> None:
    advice = advise(replace(USE, litres=680, day_sd_l=9, mean_fill=0.31))

    assert (advice.kind, advice.every_days) == ("fewer_visits", 3)
    assert advice.sentence == "Emptied 26 times in 4 weeks, on average 31% full: every 3 days would do."
    assert advice.weight == pytest.approx(7 * 26 / 28 - 7 / 3)


def test_bin_that_overflows_needs_more_visits() -> None:
    advice = advise(
        replace(USE, litres=700, emptyings=5, mean_fill=0.93, sd_fill=0.1, max_fill=1.0, found_full=4, full_h=61)
    )

    assert (advice.kind, advice.every_days) == ("more_visits", 3)
    assert advice.sentence == (
        "Emptied 5 times in 4 weeks, full at 4 of them and full for 61 hours: every 3 days would do."
    )


def test_bin_that_daily_visits_do_not_save_is_too_small() -> None:
    use = replace(
        USE, litres=3600, day_sd_l=30, emptyings=27, mean_fill=0.97, sd_fill=0.05, max_fill=1.0, found_full=24
    )

    advice = advise(replace(use, known_h=500, full_h=120))

    assert (advice.kind, advice.every_days) == ("always_full", None)
    assert "takes 173 l a day, holds 120 l: double it" in advice.sentence


def test_bin_that_never_fills_may_go() -> None:
    advice = advise(replace(USE, litres=80, day_sd_l=2, emptyings=8, mean_fill=0.1, sd_fill=0.05, max_fill=0.2))

    assert advice.kind == "never_full"
    assert advice.sentence == (
        "At most 20% full at 8 emptyings in 4 weeks; takes 3 l a day, holds 120 l:"
        " remove it, or a smaller one would do."
    )


def test_bin_that_nobody_had_to_empty_may_go() -> None:
    unused = replace(USE, litres=10, day_sd_l=1, emptyings=0, mean_fill=None, sd_fill=None, max_fill=None)

    assert advise(unused).kind == "never_full"
    assert advise(replace(unused, litres=100)).kind == "unknown"


def test_bin_that_is_emptied_when_it_has_to_be_stays() -> None:
    advice = advise(replace(USE, emptyings=6, mean_fill=0.72, sd_fill=0.08, max_fill=0.88, litres=520))

    assert (advice.kind, advice.every_days) == ("as_it_is", None)


@pytest.mark.parametrize(
    "change",
    [
        {"days": 13},  # readings of two weeks, but with gaps
        {"emptyings": 3, "mean_fill": 0.99, "found_full": 3},  # three times may be chance
        {"day_sd_l": None},
    ],
)
def test_too_little_history_says_nothing(change: dict[str, object]) -> None:
    advice = advise(replace(USE, **change))  # type: ignore[arg-type]

    assert (advice.kind, advice.every_days, advice.weight) == ("unknown", None, 0)


def test_days_that_vary_ask_for_visits_in_reserve() -> None:
    """The same litres a day on average, but now and then far more: the interval that is safe is shorter."""
    steady = advise(replace(USE, litres=680, day_sd_l=5, mean_fill=0.31))
    varied = advise(replace(USE, litres=680, day_sd_l=19, mean_fill=0.31))

    assert steady.every_days is not None
    assert varied.every_days is not None
    assert varied.every_days < steady.every_days


def test_one_full_emptying_of_few_may_be_chance() -> None:
    advice = advise(replace(USE, emptyings=6, mean_fill=0.75, sd_fill=0.15, max_fill=0.96, found_full=1))

    assert advice.kind == "as_it_is"
