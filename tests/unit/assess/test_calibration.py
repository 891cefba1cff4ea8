"""What the history of a bin says of its calibration."""

import numpy as np
import pytest

from ingest.assess.levels.calibration import estimate, gathered, propose
from ingest.assess.levels.readings import Geometry, Series
from tests.unit.assess.bins import reading

EMPTY_MM, DEPTH_MM = 1200, 1000


def history(cycles: int = 12, seed: int = 1, noise_mm: float = 8) -> Series:
    """Some days to each cycle: filled by day, emptied; a bag may hold the waste up, and some echoes are false."""
    random = np.random.default_rng(seed)
    level: list[float] = []
    for _ in range(cycles):
        by_day = np.arange(40) % 24 > 6
        level += np.maximum(np.cumsum(random.gamma(0.4, 0.06, 40) * by_day), random.uniform(0, 0.03)).tolist()
    distance_mm = EMPTY_MM - DEPTH_MM * np.minimum(level, 1.05) + random.normal(0, noise_mm, len(level))
    wild = random.random(len(level)) < 0.03
    distance_mm[wild] = random.choice([0, 450, 451, 5000], int(wild.sum()))
    rows = [reading(len(level) - place, 0, distance_mm=round(mm)) for place, mm in enumerate(distance_mm)]
    return Series.from_rows(rows)


@pytest.mark.parametrize("seed", range(4))
def test_estimate_finds_the_bottom_it_comes_back_to(seed: int) -> None:
    found = estimate(Series.joined([history(seed=seed), Series.empty(), history(seed=seed + 10, noise_mm=20)]))

    assert np.isnan(found.empty_mm[1])  # type: ignore[index]
    assert np.delete(found.empty_mm, 1) == pytest.approx([EMPTY_MM] * 2, abs=0.06 * DEPTH_MM)
    assert np.all(np.delete(found.full_mm, 1) < EMPTY_MM / 2)


@pytest.mark.parametrize("maximum_mm", [4500, 5000, 65535])
def test_maximum_of_a_sensor_is_no_bottom(maximum_mm: int) -> None:
    given = history(seed=3)
    full = np.flatnonzero(given.distance_mm < EMPTY_MM / 2)
    given.distance_mm[full[: len(full) * 2 // 3]] = maximum_mm

    found = estimate(given)

    assert found.empty_mm == pytest.approx([EMPTY_MM], abs=0.06 * DEPTH_MM)


@pytest.mark.parametrize("off_mm", [-150, 120])
def test_wrong_calibration_gets_a_proposal(off_mm: int) -> None:
    proposal = propose(history(), Geometry(EMPTY_MM + off_mm, EMPTY_MM + off_mm - DEPTH_MM))

    assert proposal is not None
    assert proposal.empty_low_mm <= proposal.empty_mm <= proposal.empty_high_mm
    assert proposal.empty_mm == pytest.approx(EMPTY_MM, abs=30)
    assert proposal.empty_mm - proposal.full_mm == DEPTH_MM
    assert 0.5 < proposal.sureness < 1
    assert proposal.reason == (
        f"The sensor sees {proposal.empty_mm:,} mm in the emptied bin, not {EMPTY_MM + off_mm:,} mm"
        f" ({proposal.emptyings} emptyings, {proposal.empty_low_mm:,} to {proposal.empty_high_mm:,} mm):"
        f" levels may read too {'high' if off_mm > 0 else 'low'}."
    )


def test_right_calibration_gets_none() -> None:
    assert propose(history(), Geometry(EMPTY_MM, EMPTY_MM - DEPTH_MM)) is None
    assert propose(history(), Geometry(EMPTY_MM + 30, EMPTY_MM + 30 - DEPTH_MM)) is None


def test_too_few_emptyings_tell_nothing() -> None:
    assert propose(history(cycles=5), Geometry(EMPTY_MM + 200, 200)) is None
    assert propose(Series.empty(), Geometry(EMPTY_MM, 200)) is None


def test_new_full_mark_lies_where_a_sensor_can_measure() -> None:
    proposal = propose(history(), Geometry(EMPTY_MM + 400, 200))

    assert proposal is not None
    assert proposal.full_mm == 30


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([7.0], 7.0),
        ([1.0, 3.0], 2.0),
        ([1.0, 900.0, 901.0, 902.0, 3000.0], 901.0),
        ([5.0, 5.0, 5.0, 1.0], 5.0),
        # Fewer than half, however close together, are not most.
        ([3.0, 3.0, 9.0, 10.0, 11.0], 10.0),
    ],
)
def test_gathered_is_where_most_are(values: list[float], middle: float) -> None:
    assert gathered(np.array(values)) == middle
