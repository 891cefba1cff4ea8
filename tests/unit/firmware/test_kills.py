"""The real firmware killed at random moments, as a watchdog or a bug would; the ledger is what it said was safe.

Meanwhile it is sent one configuration after another.
"""

import random

import cbor2

from tests.unit.firmware.conftest import MakeDevice
from tests.unit.firmware.scripted_broker import ScriptedBroker

KILLS = 30


def versions(broker: ScriptedBroker) -> list[object]:
    return [status["config_version"] for status in broker.statuses()]


def test_killed_at_any_moment_it_loses_and_alters_nothing(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    rng = random.Random(1)  # noqa: S311 - repeatable moments, not secrets
    ledger: list[tuple[int, int]] = []

    for version in range(1, KILLS + 1):
        scripted_broker.behaviour.config = cbor2.dumps([1, version, {"jump_mm": 300 + version}])
        ledger += device.wake_and_kill(rng.uniform(0.05, 0.8)).recorded
    ledger += device.wake_until_delivered(
        lambda: set(ledger) <= set(scripted_broker.stored) and versions(scripted_broker)[-1:] == [KILLS]
    )

    assert len(ledger) == len(set(ledger)) > 0
    assert set(ledger) - set(scripted_broker.stored) == set()
    assert scripted_broker.conflicts == []
    # It never fell back to an older configuration, or to none, and had some of them in force.
    assert versions(scripted_broker) == sorted(versions(scripted_broker))
    assert len(set(versions(scripted_broker))) > 3


def test_killed_while_nothing_is_acknowledged_it_keeps_all(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    rng = random.Random(2)  # noqa: S311
    scripted_broker.behaviour.acknowledge = False
    ledger: list[tuple[int, int]] = []

    for _ in range(12):
        ledger += device.wake_and_kill(rng.uniform(0.3, 1.6)).recorded
    assert scripted_broker.stored == {}
    scripted_broker.behaviour.acknowledge = True
    ledger += device.wake_until_delivered(lambda: set(ledger) <= set(scripted_broker.stored))

    assert set(ledger) - set(scripted_broker.stored) == set()
    assert scripted_broker.conflicts == []
