from simulator.evaluate.alarms import alarms, is_true
from simulator.world import DAY_HOURS, make_world

WEEK_H = 7 * DAY_HOURS


def test_sound_sensors_raise_no_alarm() -> None:
    assert alarms(make_world(30, 1, 51), WEEK_H) == []


def test_every_fallen_bin_and_every_fire_is_told_of_once_and_nothing_else() -> None:
    world = make_world(30, 1, 52, {"tilted": 0.1, "fire": 0.1})

    opened = alarms(world, WEEK_H)

    assert sorted(alert.type for _, alert in opened) == ["fire"] * 3 + ["tilt"] * 3
    assert all(is_true(world, place, alert) for place, alert in opened)
