from datetime import date
from zoneinfo import ZoneInfo

import pytest

from ingest.assess.decisions.calendar import MORNING, Calendar
from ingest.assess.store.settings import AssessSettings
from ingest.errors import SettingsError
from ingest.registry.settings import RegistrySettings
from ingest.settings import load


@pytest.mark.parametrize("kind", [RegistrySettings, AssessSettings])
def test_holidays_that_nobody_knows_are_refused(
    kind: type[RegistrySettings | AssessSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIMWATCH_HOLIDAYS", "GB-XYZ")

    with pytest.raises(SettingsError, match=r"BRIMWATCH_HOLIDAYS is not usable: no holidays are known of 'GB-XYZ'"):
        load(kind)


@pytest.mark.parametrize(("place", "hours"), [("GB-SCT", None), ("none", MORNING), ("", None)])
def test_calendar_of_a_council_that_says_nothing(place: str, hours: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIMWATCH_HOLIDAYS", place)

    calendar = load(AssessSettings).calendar()

    assert isinstance(calendar, Calendar)
    assert calendar.zone == ZoneInfo("Europe/London")
    assert calendar.hours_on(date(2026, 12, 25)) == hours
    assert calendar.hours_on(date(2026, 12, 24)) == MORNING
