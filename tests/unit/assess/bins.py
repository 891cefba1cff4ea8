"""Readings of invented bins, with defaults, for the tests of this folder."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ingest.assess.decisions.due import Rules
from ingest.assess.decisions.state import BinState, state_at
from ingest.assess.levels.findings import examine
from ingest.assess.levels.readings import Geometry, Series
from ingest.assess.levels.sensor import Sensor

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)  # a Sunday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GEOMETRY = Geometry(empty_mm=1200, full_mm=200)


def reading(hours_ago: float, level: float | None, **other: object) -> dict[str, object]:
    """One row of `bin_readings`; a level of None is a measurement without an echo."""
    row: dict[str, object] = {
        "measured_at": NOW - hours_ago * HOUR,
        "distance_mm": None if level is None else round(1200 - level * 1000),
        "spread_mm": 10,
        "valid_count": 7,
        "temperature_c": 8.5,
        "tilt_deg": 2,
        "flags": 0,
    }
    return {**row, **other}


def hourly(levels: Sequence[float | None]) -> list[dict[str, object]]:
    """Hourly readings, the last of them now."""
    return [reading(len(levels) - 1 - place, level) for place, level in enumerate(levels)]


def series(levels: Sequence[float | None]) -> Series:
    return Series.from_rows(hourly(levels))


def state(
    rows: Sequence[dict[str, object]],
    *,
    now: datetime = NOW,
    reported: Sequence[datetime] = (),
    sensor: Sensor | None = None,
    rules: Rules | None = None,
) -> BinState:
    """The state of a bin whose sensor promised to report hourly."""
    sensor = sensor or Sensor(NOW - 28 * DAY, 3600, NOW)
    rules = rules or Rules()
    [findings] = examine(Series.from_rows(rows), GEOMETRY, rules.threshold)
    return state_at(findings, max(reported, default=None), sensor, rules, now)
