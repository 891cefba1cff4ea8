"""The real firmware in MicroPython against a broker that does as told, over mutual TLS."""

import datetime as dt
import json
import ssl
import time
from pathlib import Path

import cbor2
import pytest

from firmware.smartbin import record, spool
from ingest.registry.certificates import init_authority
from tests.unit.firmware.conftest import MakeDevice
from tests.unit.firmware.device import SLEPT, build_program
from tests.unit.firmware.scripted_broker import ScriptedBroker

HOUR_S = 3600


def test_wake_delivers_what_it_measured(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device(temperature_pin=4, tilt_sda_pin=21)
    device.world(distance_mm=640, noise_mm=0, battery_mv=3650, temperature_c=21.5, tilt_deg=3)

    wake = device.wake()

    assert wake.code == SLEPT, wake.output
    version, epoch, next_report_s, rows = cbor2.loads(scripted_broker.messages[0].payload)
    assert (version, epoch, next_report_s) == (1, 1, 300)
    assert [[row[0], *row[2:]] for row in rows] == [[0, 640, 0, 7, 215, 3650, 3, 2]]
    assert abs(rows[0][1] - time.time()) < 60
    assert json.loads((device.folder / "sleep.json").read_text())["ms"] > 290_000


def test_wake_runs_in_the_memory_of_the_chip(
    make_device: MakeDevice, scripted_broker: ScriptedBroker, tmp_path: Path
) -> None:
    device = make_device(temperature_pin=4, tilt_sda_pin=21)
    (tmp_path / "program").mkdir()
    program = build_program(tmp_path / "program")

    # Objects of this 64-bit MicroPython are twice as large as the chip's, which begins with 64 KB.
    wake = device.wake(heap="128K", program=str(program))

    assert wake.code == SLEPT, wake.output
    assert len(scripted_broker.stored) == 1


def test_acknowledged_readings_are_sent_once(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()

    for _ in range(3):
        device.wake()

    assert [row[0] for row in scripted_broker.rows("up/readings")] == [0, 1, 2]
    assert scripted_broker.connections == [False, True, True]
    assert len(scripted_broker.confirmed_by_device) == 3


def test_status_comes_with_the_first_wake_only(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device(config_version=4)

    device.wake()
    device.wake()

    assert scripted_broker.topics() == ["up/readings", "up/status", "up/readings"]
    assert cbor2.loads(scripted_broker.messages[1].payload) == {
        "firmware": "0.1.0",
        "reset_cause": "power_on",
        "boot_count": 1,
        "waiting_count": 0,
        "dropped_count": 0,
        "torn_count": 0,
        "rssi_dbm": -67,
        "battery_mv": 3900,
        "next_report_s": 300,
        "config_version": 4,
    }


def test_puback_alone_makes_it_forget_nothing(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    scripted_broker.behaviour.acknowledge = False
    device.wake_in_vain()
    first = scripted_broker.rows("up/readings")
    scripted_broker.behaviour.acknowledge = True

    device.wake()
    device.wake()

    assert first[0] in scripted_broker.rows("up/readings")[1:]
    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1), (1, 2)]
    assert device.spooled_bytes() == 0


def test_unconfirmed_message_is_sent_again_as_a_duplicate(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device(ack_timeout_s=4)
    scripted_broker.behaviour.confirm = False
    scripted_broker.behaviour.acknowledge = False

    device.wake()

    first, second = scripted_broker.messages
    assert (first.is_duplicate, second.is_duplicate) == (False, True)
    assert (first.packet_id, first.payload) == (second.packet_id, second.payload)


def test_acknowledgement_that_came_during_sleep_spares_the_resend(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    device.wake()
    scripted_broker.behaviour.acknowledge = False
    device.wake_in_vain()
    late = cbor2.dumps([1, int(time.time()) - HOUR_S, [[1, 1, 1]]])
    scripted_broker.sessions["d-0001"].queue.append(("bins/v1/d-0001/down/ack", late))
    scripted_broker.behaviour.acknowledge = True

    device.wake()

    assert [row[0] for row in scripted_broker.rows("up/readings")] == [0, 1, 2]
    assert device.spooled_bytes() == 0
    assert scripted_broker.conflicts == []
    assert abs(scripted_broker.stored[1, 2][1] - time.time()) < 60  # type: ignore[operator]


def test_message_too_long_to_read_is_confirmed_and_costs_no_reading(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    device.wake()
    scripted_broker.sessions["d-0001"].queue.append(("bins/v1/d-0001/down/ack", bytes(20_000)))

    wake = device.wake()

    assert "report:" not in wake.output, wake.output
    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1)]
    assert len(scripted_broker.confirmed_by_device) == 3


def test_subscription_lost_with_a_broken_connection_is_made_again(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    scripted_broker.behaviour.hang_up_on = "up/readings"
    device.wake()
    scripted_broker.sessions["d-0001"].subscriptions.clear()
    scripted_broker.behaviour.hang_up_on = ""

    device.wake()

    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1)]


def test_readings_older_than_an_hour_go_to_the_backlog(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    device.wake()
    scripted_broker.behaviour.acknowledge = False
    device.age(2 * HOUR_S)
    device.wake_in_vain()
    device.age(-2 * HOUR_S)
    scripted_broker.behaviour.acknowledge = True

    device.wake()

    assert [row[0] for row in scripted_broker.rows("up/readings")] == [0, 1, 2]  # 1 looked fresh to a late clock
    assert [row[0] for row in scripted_broker.rows("up/backlog")] == [1]
    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1), (1, 2)]


def test_long_backlog_goes_in_messages_of_24_rows(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    old = int(time.time()) - 30 * 24 * HOUR_S
    rows = [(seq, old + HOUR_S * seq, 640, 4, 7, None, 3650, None, 0) for seq in range(400)]
    spool.Spool(str(device.folder / "spool")).append([(9, record.pack(row)) for row in rows])

    device.wake()

    backlog = [message for message in scripted_broker.messages if message.topic.endswith("backlog")]
    assert max(len(cbor2.loads(message.payload)[3]) for message in backlog) == 24
    assert [tuple(row) for row in scripted_broker.rows("up/backlog")] == rows
    assert scripted_broker.topics()[0] == "up/readings"
    assert device.spooled_bytes() == 0


def test_undelivered_readings_outlive_the_battery(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    device.wake()
    scripted_broker.behaviour.acknowledge = False
    device.wake_in_vain()
    device.cut_power()
    scripted_broker.behaviour.acknowledge = True

    device.wake()

    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1), (2, 0)]


def test_readings_wait_for_the_first_true_time(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    device.world(ntp=False)
    device.wake()
    device.wake()
    assert scripted_broker.messages == []
    device.world(ntp=True)

    device.wake()
    device.wake()

    stored = [scripted_broker.stored[1, seq] for seq in range(4)]
    assert all(abs(row[1] - time.time()) < 60 for row in stored)  # type: ignore[operator]
    assert [row[8] for row in stored] == [2, 2, 2, 0]


def test_sleeps_in_time_without_a_network(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device(link_budget_s=5, ack_timeout_s=2)
    device.world(link=False)
    began = time.monotonic()

    wake = device.wake()

    assert wake.code == SLEPT
    assert time.monotonic() - began < 14
    assert scripted_broker.messages == []


def test_pauses_grow_while_the_broker_is_away(make_device: MakeDevice) -> None:
    device = make_device(mqtt_port=1)

    attempts = ["report:" in device.wake().output for _ in range(8)]

    assert attempts[0] is True
    assert 2 <= sum(attempts) <= 5


def test_foreign_broker_gets_nothing(
    make_device: MakeDevice, scripted_broker: ScriptedBroker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    device = make_device()
    foreign = tmp_path_factory.mktemp("foreign")
    init_authority(foreign, ["127.0.0.1"], dt.datetime.now(dt.UTC))
    (device.folder / "ca.der").write_bytes(ssl.PEM_cert_to_DER_cert((foreign / "ca.pem").read_text()))

    wake = device.wake()

    assert wake.code == SLEPT
    assert "report: ValueError" in wake.output
    assert scripted_broker.messages == []


def test_leap_of_the_level_is_reported_at_once(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device(report_interval_s=86400)
    device.world(distance_mm=300)
    device.wake()
    device.wake()
    assert len(scripted_broker.stored) == 1
    device.world(distance_mm=1100)

    device.wake()

    assert len(scripted_broker.stored) == 3


@pytest.mark.parametrize("sensor", ["silent", "garbage"])
def test_sensor_without_echo_gives_null(make_device: MakeDevice, scripted_broker: ScriptedBroker, sensor: str) -> None:
    device = make_device(nearest_mm=29, farthest_mm=100)
    device.world(sensor=sensor, distance_mm=2000)

    device.wake()

    ((_, _, distance_mm, spread_mm, valid_count, *_),) = scripted_broker.stored.values()
    assert (distance_mm, spread_mm, valid_count) == (None, None, 0)


def test_clock_follows_the_server(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    scripted_broker.behaviour.ahead_s = 120
    device.wake()

    device.wake()

    assert abs(scripted_broker.stored[1, 1][1] - time.time() - 120) < 60  # type: ignore[operator]


def test_wrong_setting_is_named_with_its_range(make_device: MakeDevice) -> None:
    device = make_device(measure_interval_s=20)

    wake = device.wake()

    assert wake.code == SLEPT
    assert "measure_interval_s: must be a whole number from 300 to 86400" in wake.output
