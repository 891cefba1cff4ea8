"""The shapes of `/usage` and `/places` that the API promises (`docs/api.md`)."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from dashboard.api.models import Share, Stream


class By(StrEnum):
    """What use is summed up by."""

    BIN = "bin"
    STREET = "street"
    AREA = "area"
    STREAM = "stream"


class AdviceKind(StrEnum):
    """What the use of a bin advises."""

    ALWAYS_FULL = "always_full"
    MORE_VISITS = "more_visits"
    FEWER_VISITS = "fewer_visits"
    NEVER_FULL = "never_full"
    AS_IT_IS = "as_it_is"
    UNKNOWN = "unknown"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


_Next = Field(description="cursor of the next page; null on the last")


class Week(_Shape):
    """Use by hour of the week on the town's clocks; place 0 is Monday 00:00 to 01:00, place 167 the last of Sunday."""

    litres: list[float] = Field(min_length=168, max_length=168)
    known_h: list[float] = Field(min_length=168, max_length=168, description="hours of bins that this is known of")


class UsageItem(_Shape):
    """What was thrown into the bins of one place."""

    key: str = Field(description="reference of the bin or area, USRN or name of the street, or the stream")
    name: str
    bins: int = Field(description="how many of its bins something is known of")
    litres: float = Field(description="thrown in during the hours that are known")
    observed_h: float = Field(description="hours of bins of which readings told when something was thrown in")
    spread_h: float = Field(description="hours of bins between readings far apart; their litres are spread over them")
    full_h: float = Field(description="hours of bins in which they were full: what was to be thrown away is unknown")
    litres_per_day: float | None = Field(description="of all its bins, were all hours like those known")
    week: Week | None = Field(description="null unless asked for")


class PlaceItem(_Shape):
    """How a bin was used and emptied, and what that advises."""

    id: int
    ref: str
    name: str
    location: str
    area: str | None
    depot: str | None
    stream: Stream
    longitude: float
    latitude: float
    capacity_l: float
    max_age_days: float
    litres: float
    known_h: float = Field(description="hours of which use is known")
    full_h: float = Field(description="hours in which it was full")
    days: int = Field(description="whole days known")
    day_sd_l: float | None = Field(description="standard deviation of a day's litres")
    emptyings: int = Field(description="seen by its sensor")
    mean_fill: Share | None = Field(description="level before an emptying, on average")
    sd_fill: float | None = Field(description="its standard deviation")
    max_fill: Share | None = Field(description="its highest")
    found_full: int = Field(description="emptyings that found it 95% full or more")
    advice: AdviceKind
    every_days: float | None = Field(description="how often to empty it, days; null where that is not the remedy")
    weight: float = Field(description="what is at stake: hours full a week, or visits a week that can be saved")
    explanation: str = Field(description="why, in one sentence")


class UsageList(_Shape):
    """A page of places, the most used first."""

    items: list[UsageItem]
    next: str | None = _Next


class PlaceList(_Shape):
    """A page of bins."""

    items: list[PlaceItem]
    next: str | None = _Next
