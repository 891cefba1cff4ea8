"""The shapes that the API promises (`docs/api.md`): they make its OpenAPI description, and tests hold it to them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Stream(StrEnum):
    """What may be thrown into a bin."""

    GENERAL = "general"
    RECYCLING = "recycling"
    PAPER = "paper"
    GLASS = "glass"
    ORGANIC = "organic"
    BOTTLES_CANS = "bottles_cans"


class Reason(StrEnum):
    """Why a bin is due, or NOT_READY when it is not."""

    FULLNESS = "FULLNESS"
    FORECAST = "FORECAST"
    AGE = "AGE"
    ALERT = "ALERT"
    STALE = "STALE"
    NOT_READY = "NOT_READY"


class DueClass(StrEnum):
    """How urgent a due bin is."""

    MUST_GO = "must_go"
    MAY_GO = "may_go"


class Sensor(StrEnum):
    """What is known of a bin's sensor."""

    NONE = "none"
    OK = "ok"
    SILENT = "silent"
    REJECTED = "rejected"


class AlertType(StrEnum):
    """What is wrong, the most severe first."""

    FIRE = "fire"
    TILT = "tilt"
    OBSTRUCTION = "obstruction"
    SILENT = "silent"
    STUCK = "stuck"
    UNRELIABLE = "unreliable"
    BATTERY = "battery"
    CERTIFICATE = "certificate"


class AlertState(StrEnum):
    """Whether it still is wrong."""

    OPEN = "open"
    CLOSED = "closed"


class Notice(StrEnum):
    """Whether people were told of an alert."""

    NONE = "none"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Moments(_Shape):
    """When a level will be reached: early, likely and late."""

    p10: datetime | None = Field(description="reached by then in 1 of 10 cases")
    p50: datetime | None = Field(description="reached by then in half of the cases")
    p90: datetime | None = Field(description="reached by then in 9 of 10 cases")


class ProposalItem(_Shape):
    """Another calibration, proposed by what a sensor sees in the emptied bin; people decide."""

    device: str = Field(description="the sensor")
    empty_mm: int = Field(description="millimetres: proposed for the empty bin")
    full_mm: int = Field(description="millimetres: proposed for the full bin, which is as deep as before")
    empty_low_mm: int = Field(description="millimetres: what the true distance is hardly less than")
    empty_high_mm: int = Field(description="millimetres: what it is hardly more than")
    emptyings: int = Field(description="how many it was learned from")
    sureness: Share
    reason: str = Field(description="one sentence, for people")
    answer: Literal["accept", "dismiss"] | None = Field(
        description="what somebody said; it takes effect within seconds"
    )
    answered_by: str | None


class BinItem(_Shape):
    """A bin and its state now; null where it is not known."""

    id: int = Field(description="never changes and is never used again")
    ref: str = Field(description="the council's reference")
    name: str
    location: str = Field(description="where it stands, in words; may be empty")
    depot: str | None = Field(description="reference of the depot that serves it")
    stream: Stream
    model: str
    capacity_l: float = Field(description="litres")
    longitude: float = Field(description="degrees, WGS 84")
    latitude: float = Field(description="degrees, WGS 84")
    threshold: Share = Field(description="due by FULLNESS from this fill level, 0..1")
    max_age_days: float = Field(description="due by AGE so many days after the last emptying")
    service_time_s: int = Field(description="seconds that emptying it takes")
    out_of_service_until: datetime | None
    device: str | None = Field(description="the sensor in it")
    empty_mm: int | None = Field(description="millimetres from the sensor to the bottom")
    full_mm: int | None = Field(description="millimetres from the sensor to the waste of a full bin")
    fill_level: Share | None = Field(description="0 empty .. 1 full: the newest level that can be believed")
    quality: int | None = Field(ge=0, le=4, description="of that reading, as OMA LwM2M 6042")
    measured_at: datetime | None = Field(description="when that level was measured")
    last_received_at: datetime | None = Field(description="when anything of the sensor last arrived")
    last_emptied_at: datetime | None
    sensor: Sensor
    reason: Reason
    due_class: DueClass | None = Field(description="null when not due")
    priority: int = Field(ge=0, le=100, description="0..100, higher is more urgent")
    due_since: datetime | None
    due_by: datetime | None = Field(description="when it should be emptied at the latest")
    explanation: str = Field(description="the reason in one sentence, for people")
    threshold_at: Moments | None = Field(description="when it will reach its threshold; null without a forecast")
    full_at: Moments | None = Field(description="when it will be full; null without a forecast")
    assessed_at: datetime | None = Field(description="when this state was worked out")
    area: str | None = Field(description="reference of the ward or district that it stands in")
    uprn: int | None = Field(description="Unique Property Reference Number")
    usrn: int | None = Field(description="Unique Street Reference Number")
    open_data: bool = Field(description="whether its position may be published")
    horizon_at: datetime | None = Field(
        description="end of the round that it has to wait for when the coming one leaves it out"
    )
    overflow_chance: Share | None = Field(
        description="0..1: that it overflows before horizon_at if nobody empties it; null without a forecast"
    )
    proposals: list[ProposalItem] = Field(description="other calibrations of its sensors; mostly none")


class ReadingItem(_Shape):
    """One measurement and what it means."""

    device: str
    epoch: int
    seq: int
    measured_at: datetime
    received_at: datetime
    distance_mm: int | None = Field(description="millimetres from the sensor to the waste; null: no echo")
    spread_mm: int | None = Field(description="millimetres: largest less smallest echo")
    valid_count: int | None = Field(description="echoes that the distance was taken from")
    temperature_c: float | None = Field(description="degrees Celsius")
    battery_mv: int | None = Field(description="millivolts")
    tilt_deg: int | None = Field(description="degrees from upright")
    flags: int = Field(description="bit 0 lid open, 1 clock set only later, 2 waste too near, 3 tilted")
    fill_level: Share | None = Field(description="0..1; null where the reading was rejected")
    quality: int = Field(ge=0, le=4, description="as OMA LwM2M 6042")
    quality_reason: str = Field(description="in words; empty for an accepted reading")


class EmptyingItem(_Shape):
    """One emptying, some time between `not_before` and `emptied_at`."""

    emptied_at: datetime = Field(description="the first reading after it")
    not_before: datetime = Field(description="the last reading before it")
    fill_before: Share | None = Field(description="0..1")
    fill_after: Share | None = Field(description="0..1")
    confidence: Share = Field(description="0..1")
    source: str = Field(description="who says when it was: sensor, crew or route_engine")
    sources: list[str] = Field(description="all who say so")
    outcome: Literal["confirmed", "seen", "unseen", "contradicted"] = Field(
        description="confirmed: seen and reported; contradicted: reported, but the level did not fall"
    )


class RejectItem(_Shape):
    """A message or reading that was refused."""

    id: int
    received_at: datetime
    topic: str
    device: str | None
    reason: str = Field(description="see docs/contract.md")
    detail: str
    payload: str = Field(description="as text when it is UTF-8, else `hex:` and the bytes")


class DeviceItem(_Shape):
    """A sensor in use."""

    device: str
    bin: str | None = Field(description="reference of the bin it sits in")
    enrolled_at: datetime
    certificate_expires_at: datetime | None
    last_received_at: datetime | None
    last_measured_at: datetime | None
    next_report_s: int | None = Field(description="seconds from its last report to its next, as promised")
    battery_mv: int | None = Field(description="millivolts")
    status: dict[str, Any] | None = Field(description="its last status report, as sent")
    status_received_at: datetime | None
    proposal: ProposalItem | None = Field(description="another calibration; null for none")


class AlertItem(_Shape):
    """Something that is or was wrong at a bin."""

    id: int = Field(description="never changes and is never used again")
    type: AlertType
    state: AlertState
    text: str = Field(description="what is wrong in one sentence, for people")
    bin: str = Field(description="reference of the bin")
    name: str = Field(description="of the bin")
    location: str = Field(description="where it stands, in words; may be empty")
    depot: str | None = Field(description="reference of the depot that serves it")
    since: datetime = Field(description="when the trouble began, as far as is known")
    opened_at: datetime
    observed_at: datetime = Field(description="when the trouble was last seen")
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    notice: Notice = Field(description="whether people were told")


_Next = Field(description="cursor of the next page; null on the last")


class BinList(_Shape):
    """A page of bins."""

    items: list[BinItem]
    next: str | None = _Next


class ReadingList(_Shape):
    """A page of readings, newest first."""

    items: list[ReadingItem]
    next: str | None = _Next


class EmptyingList(_Shape):
    """A page of emptyings, newest first."""

    items: list[EmptyingItem]
    next: str | None = _Next


class RejectList(_Shape):
    """A page of rejects, newest first."""

    items: list[RejectItem]
    next: str | None = _Next


class DeviceList(_Shape):
    """A page of devices."""

    items: list[DeviceItem]
    next: str | None = _Next


class AlertList(_Shape):
    """A page of alerts, newest first."""

    items: list[AlertItem]
    next: str | None = _Next


class Problem(_Shape):
    """What went wrong, in one sentence."""

    error: str
