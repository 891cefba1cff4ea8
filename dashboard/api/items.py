"""Rows as the API shows them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from dashboard.readings import Reading
from dashboard.rows import Bin, Emptying, Reject

Item = dict[str, Any]

# The database keeps levels and chances in fewer digits than Python; all are shown with as many.
LEVEL_PLACES = 3
_FORECASTS = ("threshold_at", "full_at")
_QUANTILES = ("p10", "p50", "p90")


def bin_item(row: Bin) -> Item:
    """Show a bin; a forecast that was not made is null as a whole."""
    item = asdict(row)
    item["fill_level"] = _level(row.fill_level)
    item["overflow_chance"] = _level(row.overflow_chance)
    for name in _FORECASTS:
        moments: dict[str, datetime | None] = {which: item.pop(f"{name}_{which}") for which in _QUANTILES}
        item[name] = moments if any(moments.values()) else None
    return item


def reading_item(reading: Reading) -> Item:
    """Show a reading and what it means; the geometry is the bin's."""
    item = asdict(reading.raw)
    del item["empty_mm"], item["full_mm"]
    return {
        **item,
        "fill_level": _level(reading.fill_level),
        "quality": reading.quality,
        "quality_reason": reading.quality_reason,
    }


def emptying_item(row: Emptying) -> Item:
    """Show an emptying."""
    levels = {name: _level(getattr(row, name)) for name in ("fill_before", "fill_after", "confidence")}
    return {**asdict(row), **levels}


def reject_item(row: Reject) -> Item:
    """Show a reject; what is not text is shown as hexadecimal digits."""
    return {**asdict(row), "payload": payload_text(row.payload)}


def _level(value: float | None) -> float | None:
    return None if value is None else round(value, LEVEL_PLACES)


def payload_text(payload: bytes) -> str:
    """Show a payload: as text when it is UTF-8, else `hex:` and its bytes."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return f"hex:{payload.hex()}"
