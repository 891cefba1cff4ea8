import numpy as np
import pytest

from simulator.deposits import HOUR_S
from simulator.evaluate.rises import rises
from simulator.seeds import TUNING
from simulator.world import FIRST_DAY, World, make_world

WEEKS = 2
HOURS = WEEKS * 168


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(10, WEEKS, TUNING[0])


def asked_s(hour: int) -> np.ndarray:
    return np.full(10, (FIRST_DAY + hour) * HOUR_S)


def test_rate_is_what_rose_by_the_time_watched(world: World) -> None:
    start, emptied = world.levels.hourly, world.levels.emptied
    rose = np.where(emptied[:-1] | (start[1:] > 1), np.nan, np.diff(start, axis=0))

    found = rises(world.telemetry, 10, np.arange(10), asked_s(HOURS))

    assert found.rate == pytest.approx(np.nanmean(rose, axis=0), rel=0.15)
    assert found.hourly.mean(axis=1) == pytest.approx(found.rate, rel=0.15)
    assert found.town.mean(axis=1) == pytest.approx(found.rate)


def test_nothing_later_is_known(world: World) -> None:
    half = asked_s(HOURS // 2)
    early = world.telemetry.where(world.telemetry.measured_s <= half[0])

    one, other = (rises(told, 10, np.arange(10), half) for told in (world.telemetry, early))

    assert one.rate.tolist() == other.rate.tolist()
    assert one.hourly.tolist() == other.hourly.tolist()
