import numpy as np
import pytest

from ingest.assess.forecasts.cycles import Cycles, reported
from ingest.assess.forecasts.ending import Levels, levels_at
from tests.unit.assess.past_cycles import DAY, HOUR, START, pool_of

NOW = START + 40 * DAY


def emptyings(bins: int, seed: int = 2) -> Cycles:
    """Make bins that are emptied daily, each always about equally full."""
    rng = np.random.default_rng(seed)
    usual = rng.uniform(0.2, 0.8, bins)
    number, day = (axis.ravel() for axis in np.meshgrid(np.arange(bins), np.arange(38), indexing="ij"))
    fill = np.clip(usual[number] + rng.normal(0, 0.05, len(number)), 0, 1)
    return reported(number, START + day * DAY, fill)


def after(cycles: Cycles, hours: float, bins: int) -> Levels:
    emptied_at = np.full(bins, START + 39 * DAY)
    return levels_at(
        cycles,
        pool_of(cycles, START + 39 * DAY),
        bins=np.arange(bins),
        pools=np.zeros(bins, dtype=np.int64),
        emptied_at=emptied_at,
        at=emptied_at + np.timedelta64(int(hours * 3600), "s"),
    )


def test_level_after_a_usual_time_is_as_usual() -> None:
    cycles = emptyings(10)

    levels = after(cycles, 24, 10)

    for number in range(10):
        usual = float(np.median(cycles.level_last[cycles.bin == number]))
        assert levels.quantiles[number, 1] == pytest.approx(usual, abs=0.04)
        assert levels.quantiles[number, 0] < usual < levels.quantiles[number, 2]


def test_level_rises_with_time() -> None:
    cycles = emptyings(10)

    medians = np.stack([after(cycles, hours, 10).quantiles[:, 1] for hours in (6, 12, 24, 48)])

    assert (np.diff(medians, axis=0) > 0).all()


def test_unknown_bin_is_like_its_pool_and_less_sure() -> None:
    cycles = emptyings(20)

    levels = after(cycles, 24, 21).quantiles

    width = levels[:, 2] - levels[:, 0]
    assert width[20] > width[:20].max()
    assert 0.3 < levels[20, 1] < 0.7


def test_what_comes_later_changes_nothing() -> None:
    cycles = emptyings(10)
    soon = START + 20 * DAY
    known = cycles[cycles.ended_at <= soon]

    found = [
        levels_at(
            one,
            pool_of(one, soon),
            bins=np.arange(10),
            pools=np.zeros(10, dtype=np.int64),
            emptied_at=np.full(10, soon),
            at=np.full(10, soon + 20 * HOUR),
        ).quantiles.tolist()
        for one in (cycles, known)
    ]

    assert found[0] == found[1]


def test_chance_to_be_above_a_level() -> None:
    levels = Levels(np.zeros((1, 3)), np.array([[0.2, 0.6, 0.9]]), np.array([[1.0, 1.0, 2.0]]))

    assert levels.chance_above(np.array([0.6])).tolist() == [0.75]
