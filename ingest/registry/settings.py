"""Settings of the registry's commands."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ingest.assess.decisions.calendar import bank_holidays
from ingest.settings import PREFIX


@dataclass(frozen=True, slots=True)
class Area:
    """The rectangle that the council's bins stand in, degrees (WGS 84), edges included."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude: float, latitude: float) -> bool:
        """Say whether a position is inside."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `west,south,east,north`.

        Raises:
            ValueError: it is not that.
        """
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            raise ValueError("write it as west,south,east,north in degrees") from None
        if not all(math.isfinite(edge) for edge in (west, south, east, north)) or west >= east or south >= north:
            raise ValueError("west has to be less than east, and south less than north")
        return cls(west, south, east, north)

    def __str__(self) -> str:
        return f"{self.west:g},{self.south:g},{self.east:g},{self.north:g}"


UNITED_KINGDOM = Area(-8.65, 49.84, 1.77, 60.86)


def _area(value: Any) -> Any:  # noqa: ANN401 - whatever the environment holds; pydantic reports what is not an Area
    return Area.parse(value) if isinstance(value, str) else value


class RegistrySettings(BaseSettings):
    """What `bins` and `devices` need.

    Attributes:
        area: where the council's bins stand; a bin outside is refused.
        time_zone: of dates and times without an offset.
        holidays: whose bank holidays count, such as GB-SCT; `none` for none.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    area: Annotated[Area, NoDecode, BeforeValidator(_area)] = UNITED_KINGDOM
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
