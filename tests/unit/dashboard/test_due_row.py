from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dashboard.pages.parts import due_row
from tests.unit.dashboard.places import place

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("Europe/London"))


def test_forecast_is_shown_plainly() -> None:
    sentence = "Likely to reach 80% by Mon 09:00 (30% to overflow before tomorrow's round ends)."
    row = due_row(place(reason="FORECAST", due_class="may_go", due_since=NOW, explanation=sentence), NOW)

    assert (row["why"], row["urgency"], row["since"], row["explanation"]) == (
        "Soon full",
        "May go",
        "12:00",
        sentence,
    )
