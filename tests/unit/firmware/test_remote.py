"""The configuration over the air: the real firmware in MicroPython, and a broker that sends what a test asks."""

import json
from pathlib import Path

import cbor2
import pytest

from firmware.smartbin import record, spool, state
from firmware.smartbin.remote import SETTINGS
from tests.unit.firmware.conftest import MakeDevice
from tests.unit.firmware.device import SLEPT, Device, run_micropython
from tests.unit.firmware.rows import row
from tests.unit.firmware.scripted_broker import ScriptedBroker

DOWN = "bins/v1/d-0001/down/"
PROVISIONED = {"device": "d-0001", "mqtt_host": "broker.example", "measure_interval_s": 900, "report_interval_s": 1800}
OLD_SUBSCRIPTION = 2  # the flag of a program that subscribed to acknowledgements alone
TAKE = """
from smartbin.remote import Remote
remote = Remote("", print)
for payload in {payloads!r}:
    remote.take(payload)
    print("refused:", remote.refused)
print("version:", Remote("", print).config.config_version)
"""
START = """
import os
from smartbin.remote import Remote
for name in {names!r}:
    os.rename(name, "remote.json")
    config = Remote("", print).config
    print(name, config.config_version, config.measure_interval_s)
"""


def configuration(version: int, **settings: object) -> bytes:
    return cbor2.dumps([1, version, settings])


def slept_s(device: Device) -> int:
    return round(json.loads((device.folder / "sleep.json").read_text())["ms"] / 1000, -1)


def run_in(folder: Path, script: str) -> list[str]:
    printed = run_micropython(f"import os\nos.chdir({str(folder)!r})\n{script}", folder=folder)
    return printed.splitlines()


@pytest.fixture
def flash(tmp_path: Path) -> Path:
    """The files of a device that has never been sent a configuration."""
    (tmp_path / "config.json").write_text(json.dumps(PROVISIONED))
    return tmp_path


def test_configuration_holds_from_the_next_wake_on_and_is_told_then(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    provisioned = (device.folder / "config.json").read_bytes()
    scripted_broker.behaviour.config = configuration(7, measure_interval_s=600, report_interval_s=6000)

    wakes, nights_s = [], []
    for _ in range(3):
        wakes.append(device.wake())
        nights_s.append(slept_s(device))

    assert [wake.code for wake in wakes] == [SLEPT] * 3, wakes
    assert nights_s == [300, 600, 600]
    # Told at once, whatever the new interval is: the server was promised a report by the old one.
    assert scripted_broker.topics() == ["up/readings", "up/status", "up/readings", "up/status"]
    told = [(status["config_version"], status["next_report_s"]) for status in scripted_broker.statuses()]
    assert told == [(0, 300), (7, 6000)]
    assert "config_refused" not in scripted_broker.statuses()[1]
    assert (device.folder / "config.json").read_bytes() == provisioned


def test_setting_that_a_later_configuration_does_not_name_is_as_provisioned(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    nights_s = []
    slow, fast = {"measure_interval_s": 600, "report_interval_s": 600}, {"report_interval_s": 300}
    for version, settings in [(1, slow), (2, fast), (3, {})]:
        scripted_broker.behaviour.config = configuration(version, **settings)
        device.wake()
        nights_s.append(slept_s(device))

    assert nights_s == [300, 600, 300]
    assert [status["config_version"] for status in scripted_broker.statuses()] == [0, 1, 2]


def test_version_in_force_is_not_written_again(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    scripted_broker.behaviour.config = configuration(7, jump_mm=500)
    device.wake()
    before = (device.folder / "remote.json").stat()

    device.wake()
    device.wake()

    after = (device.folder / "remote.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [status["config_version"] for status in scripted_broker.statuses()] == [0, 7]


def test_refusal_is_told_in_the_same_conversation(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    device.wake()
    scripted_broker.behaviour.config = configuration(6, jump_mm=500)
    device.wake()
    device.wake()
    scripted_broker.behaviour.config = configuration(7, measure_interval_s=600)

    device.wake()
    scripted_broker.behaviour.config = None
    device.wake()

    first, second, third = scripted_broker.statuses()
    assert (first["config_version"], second["config_version"]) == (0, 6)
    assert third["config_version"] == 6
    assert third["config_refused"] == "version 7: report_interval_s: must not be shorter than measure_interval_s"
    assert slept_s(device) == 300


@pytest.mark.parametrize(
    ("comes_with", "topics"),
    [
        ("up/readings", ["up/readings", "up/status", "up/backlog"]),  # told before a backlog that may be long
        ("up/backlog", ["up/readings", "up/backlog", "up/status"]),
    ],
)
def test_refusal_is_told_whenever_it_comes(
    make_device: MakeDevice, scripted_broker: ScriptedBroker, comes_with: str, topics: list[str]
) -> None:
    device = make_device()
    device.wake()
    del scripted_broker.messages[:]
    spool.Spool(str(device.folder / "spool")).append([(9, record.pack(row(1)))])
    scripted_broker.behaviour.config = b"?"
    scripted_broker.behaviour.config_with = comes_with

    device.wake()

    assert scripted_broker.topics() == topics
    assert ["config_refused" in status for status in scripted_broker.statuses()] == [True]


REFUSED: list[tuple[object, str]] = [
    ([1, 7, {"measure_interval_s": 299}], "version 7: measure_interval_s: must be a whole number from 300 to 86400"),
    (
        [1, 7, {"report_interval_s": 600}],  # 900 seconds between measurements are provisioned
        "version 7: report_interval_s: must not be shorter than measure_interval_s",
    ),
    ([1, 7, {"nearest_mm": 500, "farthest_mm": 500}], "version 7: nearest_mm: must be less than farthest_mm"),
    ([1, 7, {"jump_mm": 300, "wifi_psk": 5}], "version 7: 'wifi_psk': cannot be set over the air"),
    ([1, 7, {"a\0\u00e9": 5}], r"version 7: 'a\x00\xe9': cannot be set over the air"),
    ([1, 7, {"x" * 900: 5}], "version 7: '" + "x" * 188),
    ([1, 7, {"jump_mm": "500"}], "version 7: 'jump_mm': not a whole number"),
    ([1, 7, {"jump_mm": True}], "version 7: 'jump_mm': not a whole number"),
    ([1, 7, {"jump_mm": 500.0}], "version 7: 'jump_mm': not a whole number"),
    ([1, 7, {"jump_mm": 2**63}], "version 7: jump_mm: must be a whole number from 50 to 4500"),
    ([1, 7, {5: 5}], "version 7: the settings are not a map of names"),
    ([1, 7, [5]], "version 7: the settings are not a map of names"),
    ([1, 0, {}], "configuration: config_version is not from 1 to 2147483647"),
    ([1, 2**31, {}], "configuration: config_version is not from 1 to 2147483647"),
    ([1, 7.0, {}], "configuration: config_version is not from 1 to 2147483647"),
    ([2, 7, {}], "configuration: unknown version"),
    ([True, 7, {}], "configuration: unknown version"),
    ([1, 7], "configuration: not an array of three"),
    ({"jump_mm": 500}, "configuration: not an array of three"),
    ([1, 7, {}, "x" * 1024], "configuration: more than 1024 bytes"),
]


def test_what_is_not_a_valid_configuration_is_refused_in_words(flash: Path) -> None:
    payloads = [configuration(6, jump_mm=500), *(cbor2.dumps(message) for message, _ in REFUSED), b"", b"\xff"]

    printed = run_in(flash, TAKE.format(payloads=payloads))

    words = [line.removeprefix("refused:").strip() for line in printed if line.startswith("refused:")]
    assert words == ["", *(expected for _, expected in REFUSED), "CBOR: truncated", "CBOR: reserved simple value"]
    assert printed[-1] == "version: 6"


def test_every_setting_may_be_sent_and_a_later_server_may_add_places(flash: Path) -> None:
    settings = {"measure_interval_s": 300, "report_interval_s": 604800, "sample_count": 15, "nearest_mm": 0}
    settings |= {"farthest_mm": 10000, "full_mm": 4500, "jump_mm": 50, "alarm_temperature_c": 120}
    settings |= {"alarm_tilt_deg": 180, "lid_open_deg": 5}
    script = TAKE + "print(sorted(Remote('', print).config.__dict__.items()))"

    printed = run_in(flash, script.format(payloads=[cbor2.dumps([1, 2**31 - 1, settings, "new"])]))

    assert sorted(settings) == sorted(SETTINGS)
    in_force = printed[-1]
    assert [name for name, value in settings.items() if f"('{name}', {value})" not in in_force] == []
    assert printed[-2] == "version: 2147483647"


def test_of_several_configurations_the_last_one_counts(flash: Path) -> None:
    payloads = [
        configuration(7, jump_mm=500),
        configuration(8, jump_mm=1),  # refused
        configuration(9, measure_interval_s=600),
        configuration(9, measure_interval_s=1200),  # the same version, whatever it says
    ]

    printed = run_in(flash, TAKE.format(payloads=payloads) + "print(Remote('', print).config.measure_interval_s)")

    assert [line.strip() for line in printed if line.startswith("refused:")][2:] == ["refused:", "refused:"]
    assert printed[-2:] == ["version: 9", "600"]


def test_damaged_file_is_as_if_it_were_not_there(flash: Path) -> None:
    run_in(flash, TAKE.format(payloads=[configuration(7, measure_interval_s=1200)]))
    whole = (flash / "remote.json").read_bytes()
    other = json.loads(whole)
    damaged = {
        "whole": whole,
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "noise": bytes(range(256)) * 20,
        "flipped": whole.replace(b"1200", b"1300"),
        "version": whole.replace(b" 7", b" 8"),
        "list": b"[]",
        "null": b"null",
        "number": b"7",
        "nameless": b"{}",
        "types": json.dumps({**other, "settings": None}).encode(),
    }
    for name, content in damaged.items():
        (flash / name).write_bytes(content)

    printed = run_in(flash, START.format(names=list(damaged)))

    assert printed[0] == "whole 7 1200"
    complaints, starts = printed[1::2], printed[2::2]
    assert [line.split(":")[0] for line in complaints] == ["remote.json"] * (len(damaged) - 1)
    assert starts == [f"{name} 0 900" for name in list(damaged)[1:]]


@pytest.mark.parametrize(
    "change",
    [
        {"device": "d-0002"},  # another device's now: its versions are others
        {"report_interval_s": 1000},  # shorter than what was sent for measuring
    ],
)
def test_file_that_does_not_fit_what_was_provisioned_later_is_passed_over(
    flash: Path, change: dict[str, object]
) -> None:
    run_in(flash, TAKE.format(payloads=[configuration(7, measure_interval_s=1200)]))
    (flash / "config.json").write_text(json.dumps({**PROVISIONED, **change}))
    (flash / "remote.json").rename(flash / "kept")

    complaint, start = run_in(flash, START.format(names=["kept"]))

    assert complaint.startswith("remote.json: ")
    assert start == "kept 0 900"


def test_device_whose_file_was_damaged_says_that_none_is_in_force_and_takes_it_again(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    scripted_broker.behaviour.config = configuration(7, measure_interval_s=600, report_interval_s=6000)
    device.wake()
    device.wake()
    (device.folder / "remote.json").write_bytes(b'{"config_version": 7, "settings"')

    damaged, again = device.wake(), device.wake()

    assert (damaged.code, again.code) == (SLEPT, SLEPT)
    assert damaged.output.count("remote.json: ") == 1
    assert [status["config_version"] for status in scripted_broker.statuses()] == [0, 7, 0, 7]
    assert len(scripted_broker.stored) == 4


def test_new_version_is_told_until_the_broker_has_it(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    scripted_broker.behaviour.config = configuration(7, jump_mm=500)
    device.wake()
    scripted_broker.behaviour.hang_up_on = "up/status"
    device.wake()
    assert [status["config_version"] for status in scripted_broker.statuses()] == [0]
    scripted_broker.behaviour.hang_up_on = ""

    device.wake()
    device.wake()

    assert [status["config_version"] for status in scripted_broker.statuses()] == [0, 7]


def test_pause_after_failures_does_not_grow_with_the_new_interval(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    device.wake()
    known = state.load((device.folder / "rtc.bin").read_bytes())
    assert known is not None
    known.failures = 8
    (device.folder / "rtc.bin").write_bytes(known.dump())
    daily = configuration(7, measure_interval_s=86400, report_interval_s=86400)
    scripted_broker.sessions["d-0001"].queue.append((DOWN + "config", daily))
    scripted_broker.behaviour.acknowledge = False
    device.wake_in_vain()  # lets half an hour pass, counted in wakes
    scripted_broker.behaviour.acknowledge = True

    device.wake()

    assert slept_s(device) == 86400
    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"\xff" * 900,
        b"\x81" * 1000,  # nested ever deeper
        b"\x9b" + b"\xff" * 8,  # an array of 2 ** 64 - 1
        bytes(8_000),  # more than there is memory for in one piece
        bytes(20_000),
        cbor2.dumps([1, 1_772_366_400, [[1, 0, 2**32 - 1]]]),  # an acknowledgement: not here
    ],
    ids=["nothing", "breaks", "deep", "wide", "large", "huge", "ack"],
)
def test_nonsense_costs_no_reading(make_device: MakeDevice, scripted_broker: ScriptedBroker, nonsense: bytes) -> None:
    device = make_device()
    scripted_broker.behaviour.config = nonsense

    wakes = [device.wake() for _ in range(2)]

    assert [wake.code for wake in wakes] == [SLEPT, SLEPT], wakes
    assert not any("report:" in wake.output for wake in wakes), wakes
    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1)]
    assert len(scripted_broker.messages) == 4
    assert len(scripted_broker.confirmed_by_device) == 4
    assert all(status["config_refused"] for status in scripted_broker.statuses())


def test_what_waited_at_the_broker_is_taken_and_other_topics_are_not(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    device.wake()
    scripted_broker.behaviour.acknowledge = False
    device.wake_in_vain()
    scripted_broker.behaviour.acknowledge = True
    scripted_broker.sessions["d-0001"].queue += [
        (DOWN + "config", configuration(7, jump_mm=500)),
        (DOWN + "config", configuration(8, jump_mm=600)),
        (DOWN + "command", configuration(9, jump_mm=700)),
    ]

    device.wake()
    device.wake()

    assert scripted_broker.statuses()[-1]["config_version"] == 8
    assert sorted(scripted_broker.stored) == [(1, seq) for seq in range(4)]


def test_one_subscription_brings_all_and_that_of_an_older_program_is_made_anew(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    device.wake()
    session = scripted_broker.sessions["d-0001"]
    assert session.subscriptions == {DOWN + "+"}
    session.subscriptions = {DOWN + "ack"}
    known = state.load((device.folder / "rtc.bin").read_bytes())
    assert known is not None
    known.put(state.SUBSCRIBED, on=False)
    known.put(OLD_SUBSCRIPTION, on=True)
    (device.folder / "rtc.bin").write_bytes(known.dump())

    device.wake()

    assert DOWN + "+" in session.subscriptions
    assert sorted(scripted_broker.stored) == [(1, 0), (1, 1)]
