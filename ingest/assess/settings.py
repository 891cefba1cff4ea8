"""Settings of the assess runner."""

from zoneinfo import ZoneInfo

from pydantic import field_validator

from ingest.settings import LogSettings


class AssessSettings(LogSettings):
    """What `assess` needs.

    Attributes:
        time_zone: the council's, for the times in explanations.
    """

    time_zone: str = "Europe/London"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("it is no time zone such as Europe/London") from None
        return name
