"""Forecasts in words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.forecast import forecast_lines
from dashboard.rows import Bin

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=ZoneInfo("Europe/London"))  # a Friday
HOUR = timedelta(hours=1)


def bin_row(fill_level: float | None = 0.5, **forecast: Any) -> Bin:
    columns: dict[str, Any] = dict.fromkeys(Bin.__dataclass_fields__)
    return Bin(**{**columns, "threshold": 0.8, "fill_level": fill_level, **forecast})


def moments(name: str, *hours: float | None) -> dict[str, Any]:
    """By the columns' names, moments so many hours from now."""
    names = (f"{name}_p10", f"{name}_p50", f"{name}_p90")
    return {name: None if h is None else NOW.astimezone(UTC) + h * HOUR for name, h in zip(names, hours, strict=True)}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (bin_row(), []),
        # As usual.
        (
            bin_row(**moments("threshold_at", 6, 26, 69)),
            ["Likely to reach 80% about Sat 14:00 (between Fri 18:00 and Mon 09:00)."],
        ),
        # A bin over its threshold is only asked when it is full.
        (
            bin_row(0.85, **moments("threshold_at", -1, -1, -1), **moments("full_at", 6, 26, None)),
            ["Likely to reach 100% about Sat 14:00 (not before Fri 18:00)."],
        ),
        # Too far away for more.
        (bin_row(**moments("threshold_at", 26, None, None)), ["May reach 80% from Sat 14:00 on."]),
        # Its sensor has been silent since.
        (
            bin_row(**moments("threshold_at", -9, 1, 5.2)),
            ["Likely to reach 80% about Fri 13:00 (between now and Fri 17:00)."],
        ),
        (bin_row(**moments("threshold_at", -9, -1, 5)), ["Likely to have reached 80% by now."]),
        (
            bin_row(horizon_at=NOW + 26 * HOUR, overflow_chance=0.123),
            ["10% to overflow before tomorrow's round ends."],
        ),
        # Said already, and not worth saying.
        (bin_row(horizon_at=NOW + 26 * HOUR, overflow_chance=0.9, reason="FORECAST"), []),
        (bin_row(horizon_at=NOW + 26 * HOUR, overflow_chance=0.01), []),
    ],
)
def test_forecast_in_words(row: Bin, said: list[str]) -> None:
    assert forecast_lines(row, NOW, ZoneInfo("Europe/London")) == said
