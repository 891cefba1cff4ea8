from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from ingest.assess.decisions.calendar import Calendar, Hours, Round, bank_holidays, horizon, next_rounds

LONDON = ZoneInfo("Europe/London")
DAILY = Calendar(LONDON)
WEEKDAYS = Calendar(LONDON, weekly=(*DAILY.weekly[:5], None, None))
SCOTLAND = Calendar(LONDON, holidays=bank_holidays("GB-SCT"))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def begins(calendar: Calendar, now: str, count: int = 3) -> list[str]:
    rounds = next_rounds(calendar, local(now), count)
    return [f"{one.begins_at.astimezone(LONDON):%a %d %H:%M}" for one in rounds]


@pytest.mark.parametrize(
    ("calendar", "now", "expected"),
    [
        (DAILY, "2026-03-01T05:00", ["Sun 01 06:00", "Mon 02 06:00", "Tue 03 06:00"]),
        # Under way until it ends.
        (DAILY, "2026-03-01T13:59", ["Sun 01 06:00", "Mon 02 06:00", "Tue 03 06:00"]),
        (DAILY, "2026-03-01T14:00", ["Mon 02 06:00", "Tue 03 06:00", "Wed 04 06:00"]),
        (WEEKDAYS, "2026-03-06T15:00", ["Mon 09 06:00", "Tue 10 06:00", "Wed 11 06:00"]),
        # Christmas on Friday, Boxing Day on Saturday and, in lieu of it, Monday.
        (SCOTLAND, "2026-12-24T12:00", ["Thu 24 06:00", "Sun 27 06:00", "Tue 29 06:00"]),
        # St Andrew's Day is one in Scotland only.
        (SCOTLAND, "2026-11-30T05:00", ["Tue 01 06:00", "Wed 02 06:00", "Thu 03 06:00"]),
        (
            Calendar(LONDON, holidays=bank_holidays("GB-ENG")),
            "2026-11-30T05:00",
            ["Mon 30 06:00", "Tue 01 06:00", "Wed 02 06:00"],
        ),
        # Other hours on bank holidays, whatever weekday they are.
        (
            Calendar(LONDON, on_holidays=Hours(time(9), time(11)), holidays=bank_holidays("GB-SCT")),
            "2026-12-25T05:00",
            ["Fri 25 09:00", "Sat 26 09:00", "Sun 27 06:00"],
        ),
        # Closed by hand, even where bank holidays have a round.
        (
            Calendar(LONDON, closed=frozenset({date(2026, 3, 2), date(2026, 3, 3)})),
            "2026-03-01T15:00",
            ["Wed 04 06:00", "Thu 05 06:00", "Fri 06 06:00"],
        ),
    ],
)
def test_next_rounds(calendar: Calendar, now: str, expected: list[str]) -> None:
    assert begins(calendar, now) == expected


@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        # Rounds keep to the clock on the wall. The clock is put forward at 01:00 UTC on 29 March, ...
        ("06:00-14:00", "2026-03-28", ("06:00", "14:00")),
        ("06:00-14:00", "2026-03-29", ("05:00", "13:00")),
        # ... and back on 25 October.
        ("06:00-14:00", "2026-10-24", ("05:00", "13:00")),
        ("06:00-14:00", "2026-10-25", ("06:00", "14:00")),
        # 01:30 does not exist: as if the clock had not been changed yet. So a round may have no length; it has an end.
        ("01:30-06:00", "2026-03-29", ("01:30", "05:00")),
        ("00:30-01:30", "2026-03-29", ("00:30", "01:30")),
        ("01:30-02:15", "2026-03-29", ("01:30", "01:30")),
        # 01:30 comes twice: the first one.
        ("01:30-06:00", "2026-10-25", ("00:30", "06:00")),
        ("23:00-01:30", "2026-10-24", ("22:00", "00:30")),
    ],
)
def test_rounds_on_days_when_the_clock_changes(hours: str, day: str, expected: tuple[str, str]) -> None:
    first, last = (time.fromisoformat(part) for part in hours.split("-"))
    calendar = Calendar(LONDON, weekly=(Hours(first, last),) * 7)
    midnight = datetime.combine(date.fromisoformat(day), time(), LONDON)

    found = next(one for one in next_rounds(calendar, midnight, 3) if one.begins_at >= midnight)

    assert tuple(f"{moment:%H:%M}" for moment in (found.begins_at, found.ends_at)) == expected


def test_round_over_midnight_is_under_way_on_the_next_day() -> None:
    night = Calendar(LONDON, weekly=(Hours(time(22), time(4)),) * 7)

    first, second = next_rounds(night, local("2026-03-02T03:00"), 2)

    assert first == Round(datetime(2026, 3, 1, 22, tzinfo=UTC), datetime(2026, 3, 2, 4, tzinfo=UTC))
    assert second.begins_at == datetime(2026, 3, 2, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "now", "expected"),
    [
        # Before and in today's round: what it leaves out waits for tomorrow's.
        (DAILY, "2026-03-01T05:00", "2026-03-02T14:00"),
        (DAILY, "2026-03-01T10:00", "2026-03-02T14:00"),
        (DAILY, "2026-03-01T14:00", "2026-03-03T14:00"),
        # Friday's list: what it leaves out waits over the weekend.
        (WEEKDAYS, "2026-03-06T05:00", "2026-03-09T14:00"),
    ],
)
def test_horizon(calendar: Calendar, now: str, expected: str) -> None:
    assert horizon(calendar, local(now)) == local(expected)


def test_depot_without_rounds_has_no_horizon() -> None:
    assert horizon(Calendar(LONDON, weekly=(None,) * 7), local("2026-03-01T05:00")) is None


def test_unknown_holidays_are_refused() -> None:
    for place in ("", "XX", "GB-XXX"):
        with pytest.raises(ValueError, match="no holidays are known"):
            bank_holidays(place)
    assert date(2026, 12, 25) not in bank_holidays("none")
