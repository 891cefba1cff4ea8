from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.colours import LIGHT
from dashboard.figures import level_history, local
from dashboard.readings import Reading, derive
from dashboard.rows import Emptying, RawReading

LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 7, 1, 0, 0, tzinfo=UTC)
SPAN = (START.astimezone(LONDON), (START + timedelta(days=1)).astimezone(LONDON))
RAW = RawReading(
    device="sensor-1",
    epoch=1,
    seq=0,
    measured_at=START,
    received_at=START,
    distance_mm=650,
    spread_mm=10,
    valid_count=7,
    temperature_c=12.0,
    battery_mv=3600,
    tilt_deg=1,
    flags=0,
    empty_mm=1150,
    full_mm=150,
)


def raw(hour: float, distance_mm: int | None) -> RawReading:
    moment = START + timedelta(hours=hour)
    return replace(RAW, seq=round(hour * 60), measured_at=moment, distance_mm=distance_mm)


def draw(readings: list[Reading], emptyings: list[Emptying]) -> dict[str, Any]:
    return level_history(list(reversed(readings)), emptyings, 0.8, SPAN, LIGHT)


def test_derive_gives_levels_and_reasons_whatever_the_order() -> None:
    rows = [raw(2, 250), raw(0, 1150), raw(1, None), raw(3, 240)]

    derived = derive(rows)

    by_seq = {row.seq: derived[row.device, row.epoch, row.seq, row.measured_at] for row in rows}
    assert [by_seq[seq].fill_level for seq in (0, 60, 120, 180)] == [0.0, None, 0.9, 0.91]
    assert by_seq[60].quality == 1
    assert by_seq[60].quality_reason == "no echo"


def test_derive_uses_each_readings_own_geometry() -> None:
    before, after = raw(0, 650), replace(raw(1, 650), device="sensor-2", empty_mm=750, full_mm=250)

    derived = list(derive([before, after]).values())

    assert [reading.fill_level for reading in derived] == [0.5, 0.2]


def test_derive_keeps_apart_two_sensors_that_measured_at_once() -> None:
    rows = [raw(0, 650), replace(raw(0, 150), device="sensor-0"), replace(raw(0, None), device="sensor-9")]

    derived = derive(rows)

    assert {key[0]: reading.raw.distance_mm for key, reading in derived.items()} == {
        "sensor-0": 150, "sensor-1": 650, "sensor-9": None,
    }  # fmt: skip
    assert {key[0]: reading.fill_level for key, reading in derived.items()} == {
        "sensor-0": 1.0, "sensor-1": 0.5, "sensor-9": None,
    }  # fmt: skip


def test_history_shows_rejected_readings_apart_from_levels() -> None:
    readings = list(derive([raw(0, 650), raw(1, None), raw(2, 640)]).values())

    levels, rejected, _ = draw(readings, [])["data"]

    assert levels["y"] == [0.5, 0.51]
    assert rejected["text"] == ["no echo"]
    assert max(rejected["y"]) < 0


def test_history_breaks_the_line_where_nobody_knows() -> None:
    readings = list(derive([raw(hour, 650) for hour in (0, 1, 2, 12, 13)]).values())

    levels = draw(readings, [])["data"][0]

    assert levels["y"] == [0.5, 0.5, 0.5, None, 0.5, 0.5]


def test_history_marks_emptyings_of_its_span_only() -> None:
    at = START + timedelta(hours=5)
    inside = Emptying(at, at - timedelta(hours=1), 0.9, 0.02, 0.95, "sensor", ["sensor"], "seen")
    before = replace(inside, emptied_at=START - timedelta(days=3))
    missed = replace(inside, emptied_at=at + timedelta(hours=1), source="crew", outcome="contradicted")

    figure = draw([], [missed, inside, before])

    assert figure["data"][2]["x"] == ["2026-07-01T06:00:00"]
    assert figure["data"][2]["text"] == ["from 90% to 2%"]
    assert len(figure["layout"]["shapes"]) == 2


def test_local_is_summer_time_in_summer() -> None:
    assert local(START, LONDON) == "2026-07-01T01:00:00"
