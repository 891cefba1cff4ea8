import numpy as np
import pytest

from ingest.assess.levels.readings import Times
from simulator.evaluate.matching import Found, match, summed


def hours(*after: float) -> Times:
    """Instants so many hours after one Monday."""
    return np.datetime64("2023-05-01T00:00", "us") + (np.array(after) * 3600e6).astype("timedelta64[us]")


HOURLY = hours(*range(100))


def found(*windows: tuple[float, float]) -> Found:
    begins = hours(*(begin for begin, _ in windows))
    return Found(begins, begins, hours(*(end for _, end in windows)))


def test_each_known_emptying_is_matched_once() -> None:
    outcome = match(found((9, 10), (11, 12), (50, 51)), hours(10, 30, 51.5), HOURLY)

    assert (outcome.matched, outcome.false, outcome.missed) == (2, 1, 1)
    assert outcome.apart_h.tolist() == pytest.approx([-0.5, -1])
    assert outcome.precision == pytest.approx(2 / 3)
    assert outcome.recall == pytest.approx(2 / 3)
    assert outcome.missed_at.tolist() == hours(30).tolist()
    assert outcome.false_at.tolist() == hours(11.5).tolist()


def test_as_many_pairs_are_made_as_can_be() -> None:
    # The nearest partner of the first is the second's only one.
    outcome = match(found((10, 10), (13, 13)), hours(7.5, 10.2), HOURLY)

    assert outcome.matched == 2


def test_more_than_three_hours_apart_is_no_match() -> None:
    outcome = match(found((9, 10)), hours(12.6), HOURLY)

    assert (outcome.matched, outcome.false, outcome.missed) == (0, 1, 1)


def test_readings_that_were_not_believed_do_not_move_an_emptying() -> None:
    full_since, full_until, empty_at = hours(2), hours(9), hours(10)

    outcome = match(Found(full_since, full_until, empty_at), hours(9.5), HOURLY)

    assert outcome.apart_h.tolist() == [0]


def test_what_happened_in_a_gap_is_told_apart() -> None:
    gap = hours(*range(10), *range(60, 100))

    outcome = match(found((9, 60), (70, 71)), hours(-5, 20, 30, 70.5), gap)

    assert (outcome.matched, outcome.false, outcome.missed, outcome.unseen, outcome.unplaced) == (1, 0, 0, 3, 1)
    assert outcome.recall == 1
    assert outcome.recall_all == pytest.approx(1 / 4)


def test_a_fall_over_a_gap_in_which_nothing_happened_is_false() -> None:
    outcome = match(found((9, 60)), hours(70), hours(*range(10), *range(60, 100)))

    assert (outcome.false, outcome.missed) == (1, 1)


def test_bins_are_summed() -> None:
    one = match(found((9, 10)), hours(10, 30), HOURLY)

    total = summed([one, one])

    assert (total.matched, total.missed, total.recall) == (2, 2, 0.5)
    assert len(total.apart_h) == len(total.missed_at) == 2
