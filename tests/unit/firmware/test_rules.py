"""Configuration, schedule, filters, events and clock: the device's rules, pure."""

# ruff: noqa: D102 - the names are MicroPython's own

import calendar
import time

import pytest

from firmware.smartbin import clock, events, filters, record, schedule
from firmware.smartbin.config import FIELDS, Config, ConfigError
from firmware.smartbin.drivers.a02yyuw import A02YYUW
from tests.unit.firmware.device import ROOT
from tests.unit.firmware.rows import row

BUNDLE: dict[str, object] = {"device": "d-0001", "mqtt_host": "broker.example", "mqtt_port": 8883}
HOUR_S = 3600


class Chip:
    """A clock and a UART line without hardware; time goes by only while somebody sleeps."""

    def __init__(self, epoch: int = 0, frames: bytes = b"") -> None:
        self.epoch = epoch
        self.unix_s = epoch
        self.ms = 0
        self._frames = frames

    def time(self) -> int:
        return self.unix_s - self.epoch

    def gmtime(self, secs: int) -> tuple[int, ...]:
        return tuple(time.gmtime(secs + self.epoch)[:8])

    def datetime(self, when: tuple[int, ...]) -> None:
        year, month, day, _, hour, minute, second, _ = when
        self.unix_s = calendar.timegm((year, month, day, hour, minute, second))

    def sleep_ms(self, ms: int) -> None:
        self.ms += ms

    def ticks_ms(self) -> int:
        return self.ms

    def ticks_add(self, ticks: int, delta: int) -> int:
        return ticks + delta

    def ticks_diff(self, ticks1: int, ticks2: int) -> int:
        return ticks1 - ticks2

    def read(self) -> bytes | None:
        # The first read empties what came before the warm-up.
        part, self._frames = self._frames[:5], self._frames[5:]
        return part or None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measure_interval_s": 299}, "measure_interval_s: must be a whole number from 300 to 86400"),
        ({"measure_interval_s": True}, "measure_interval_s: must be a whole number"),
        ({"report_interval_s": 900}, "report_interval_s: must not be shorter than measure_interval_s"),
        ({"mqtt_host": ""}, "mqtt_host: must be text of 1 to 253 characters"),
        ({"mqtt_port": "8883"}, "mqtt_port: must be a whole number from 1 to 65535"),
        ({"ack_timeout_s": 20}, "ack_timeout_s: must be shorter than link_budget_s"),
        ({"nearest_mm": 600, "farthest_mm": 500}, "nearest_mm: must be less than farthest_mm"),
        ({"device": "a/b"}, "device: must be 1 to 64"),
        ({"device": None}, "device: must be 1 to 64"),
    ],
)
def test_config_names_the_field_and_its_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config({**BUNDLE, **change})


def test_config_of_a_fresh_bundle_has_defaults_and_ignores_what_is_newer() -> None:
    config = Config({**BUNDLE, "of_a_later_version": 1})

    assert (config.measure_interval_s, config.report_interval_s) == (3600, 21600)
    assert all(hasattr(config, name) for name, *_ in FIELDS)


@pytest.mark.parametrize(
    ("failures", "wakes"),
    [(1, 1), (2, 1), (3, 2), (4, 4), (50, 36)],  # of at most 6 hours
)
def test_retry_doubles_and_is_bounded(failures: int, wakes: int) -> None:
    assert schedule.retry_wakes(failures, 300, 6 * HOUR_S, roll=0.0) == wakes
    assert schedule.retry_wakes(failures, 300, 6 * HOUR_S, roll=1.0) <= 72


def test_sleep_keeps_the_grid_and_allows_for_a_slow_timer() -> None:
    assert schedule.sleep_ms(300, 4000, 1000) == 296_000
    assert schedule.sleep_ms(300, 4000, 1040) == 284_615
    assert schedule.sleep_ms(300, 400_000, 1000) == 1000


def test_median_and_spread_pass_over_echoes_that_cannot_be() -> None:
    echoes = filters.valid_echoes([640, None, 30, 642, 9000, 638, 644], 30, 4500)

    assert (filters.median(echoes), filters.spread(echoes), len(echoes)) == (641, 6, 4)
    assert (filters.median([]), filters.spread([])) == (None, None)


def test_alarm_holds_until_it_is_well_over() -> None:
    config = Config({**BUNDLE, "full_mm": 200})
    story = [(250, 0), (200, events.FULL), (230, events.FULL), (251, 0)]

    alarms = 0
    for distance_mm, expected in story:
        alarms = events.alarms(row(distance_mm=distance_mm), alarms, config)
        assert alarms == expected


def test_fire_and_tilt_raise_an_alarm_and_an_open_lid_no_leap() -> None:
    config = Config(BUNDLE)

    assert events.alarms(row(temperature_c=600), 0, config) == events.HOT
    assert events.alarms(row(tilt_deg=90), 0, config) == events.TILTED
    assert events.has_jumped(row(distance_mm=1000), 640, 300)
    assert not events.has_jumped(row(distance_mm=1000, flags=1), 640, 300)
    assert not events.has_jumped(row(distance_mm=1000), 0, 300)


@pytest.mark.parametrize("epoch", [0, clock.YEAR_2000])
def test_clock_gives_unix_time_whatever_the_chip_counts_from(epoch: int) -> None:
    chip = Chip(epoch)
    device_clock = clock.Clock(chip, chip)
    assert not device_clock.is_set()

    device_clock.set(2_145_916_800)  # 2038 has begun

    assert device_clock.now() == 2_145_916_800
    assert device_clock.is_set()


def test_slip_is_learned_slowly_and_nonsense_is_not() -> None:
    assert clock.learn_slip(1000, 20_800, 20_000) == 1010
    assert clock.learn_slip(1000, 40_000, 20_000) == 1000
    assert clock.learn_slip(1000, 620, 600) == 1000


def test_sensor_finds_frames_again_after_a_lost_byte() -> None:
    frame = bytes.fromhex("ff07a1a7")  # 1953 mm
    line = b"\0\0\0\0\0" + frame + frame[1:] + frame + b"\xff" + frame

    assert A02YYUW(Chip(frames=line), None, Chip()).samples(2) == [1953, 1953]


def test_silent_sensor_costs_little_time() -> None:
    chip = Chip()

    assert A02YYUW(chip, None, chip).samples(7) == [None] * 7
    assert chip.ms < 1000


def test_nothing_erases_a_timeout() -> None:
    # On the chip `setblocking(True)` erases it; the unix port hides that.
    sources = (ROOT / "firmware").rglob("*.py")

    assert [path.name for path in sources if "setblocking" in path.read_text()] == []


def test_record_is_small() -> None:
    assert record.SIZE == 19


def test_every_setting_is_documented() -> None:
    text = (ROOT / "firmware/README.md").read_text()

    assert [name for name, *_ in FIELDS if f"`{name}`" not in text] == []
