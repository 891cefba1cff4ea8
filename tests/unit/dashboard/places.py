"""A bin on the map, with defaults."""

from dataclasses import replace
from datetime import UTC, datetime

from dashboard.rows import Place

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

FINE = Place(
    id=1,
    ref="B-1",
    name="Mill Lane",
    location="at the bus stop",
    depot="north",
    stream="general",
    longitude=-4.9,
    latitude=54.0,
    threshold=0.8,
    fill_level=0.3,
    sensor="ok",
    reason="NOT_READY",
    due_class=None,
    priority=0,
    due_since=None,
    explanation="",
)


def place(number: int = 1, **changes: object) -> Place:
    """Make a bin that is fine, apart from `changes`."""
    return replace(FINE, id=number, ref=f"B-{number}", **changes)  # type: ignore[arg-type]  # the tests' own words


def full(number: int = 2, **changes: object) -> Place:
    """Make a bin that must go."""
    words = {"explanation": "93% full; its threshold is 80%.", "due_since": NOON}
    state = {"fill_level": 0.93, "reason": "FULLNESS", "due_class": "must_go", "priority": 92}
    return place(number, **{**words, **state, **changes})
