"""Settings of the assess runner."""

from zoneinfo import ZoneInfo

from pydantic import field_validator

from ingest.assess.decisions.calendar import Calendar, bank_holidays
from ingest.settings import LogSettings


class AssessSettings(LogSettings):
    """What `assess` needs.

    Attributes:
        time_zone: the council's, for the times of rounds and in explanations.
        holidays: whose bank holidays count, such as GB-SCT; `none` for none.
    """

    time_zone: str = "Europe/London"
    holidays: str = "GB-ENG"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("it is no time zone such as Europe/London") from None
        return name

    @field_validator("holidays")
    @classmethod
    def _known_holidays(cls, place: str) -> str:
        bank_holidays(place)
        return place

    def calendar(self) -> Calendar:
        """Give the calendar of a council that says nothing of its rounds."""
        return Calendar(ZoneInfo(self.time_zone), holidays=bank_holidays(self.holidays))
