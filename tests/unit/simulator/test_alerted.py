from simulator.evaluate.alerted import Alarm, Opened, false_alerts, most_of_one_spell
from simulator.evaluate.online import listen
from simulator.world import DAY_HOURS, World, make_world

WEEK_H = 7 * DAY_HOURS


def opened(world: World) -> list[Opened]:
    alarm = Alarm(world)
    listen(world, WEEK_H, alarm.look)
    return alarm.opened()


def test_sound_sensors_raise_no_alarm() -> None:
    assert opened(make_world(20, 1, 51)) == []


def test_every_fallen_bin_and_every_fire_is_told_of_once_and_nothing_else() -> None:
    world = make_world(30, 1, 52, {"tilted": 0.1, "fire": 0.1})

    alerts = opened(world)

    assert sorted(alert.type for _, alert in alerts) == ["fire"] * 3 + ["tilt"] * 3
    assert false_alerts(alerts, world.spells) == []
    assert most_of_one_spell(alerts, world.spells) == 1
    # Without the faults that they are about, all of them are false.
    assert false_alerts(alerts, []) == alerts
