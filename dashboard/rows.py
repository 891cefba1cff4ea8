"""What the views' rows are: one frozen class each, columns under their own names."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict

Answer = Literal["accept", "dismiss"]


class Proposal(TypedDict):
    """Another calibration that a sensor's readings propose; `docs/api.md` says what each field means."""

    device: str
    empty_mm: int
    full_mm: int
    empty_low_mm: int
    empty_high_mm: int
    emptyings: int
    sureness: float
    reason: str
    answer: Answer | None
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin that stands, and its state now; None where it is not known. Units are in `docs/api.md`."""

    id: int
    ref: str
    name: str
    location: str
    depot: str | None
    stream: str
    model: str
    capacity_l: float
    longitude: float
    latitude: float
    threshold: float
    max_age_days: float
    service_time_s: int
    out_of_service_until: datetime | None
    device: str | None
    empty_mm: int | None
    full_mm: int | None
    fill_level: float | None
    quality: int | None
    measured_at: datetime | None
    last_received_at: datetime | None
    last_emptied_at: datetime | None
    sensor: str
    reason: str
    due_class: str | None
    priority: int
    due_since: datetime | None
    due_by: datetime | None
    explanation: str
    threshold_at_p10: datetime | None
    threshold_at_p50: datetime | None
    threshold_at_p90: datetime | None
    full_at_p10: datetime | None
    full_at_p50: datetime | None
    full_at_p90: datetime | None
    assessed_at: datetime | None
    area: str | None
    uprn: int | None
    usrn: int | None
    open_data: bool
    horizon_at: datetime | None
    overflow_chance: float | None
    proposals: list[Proposal]


@dataclass(frozen=True, slots=True)
class Place:
    """What the map shows of one bin; `explanation` is empty unless it is due."""

    id: int
    ref: str
    name: str
    location: str
    depot: str | None
    stream: str
    longitude: float
    latitude: float
    threshold: float
    fill_level: float | None
    sensor: str
    reason: str
    due_class: str | None
    priority: int
    due_since: datetime | None
    explanation: str


@dataclass(frozen=True, slots=True)
class RawReading:
    """One measurement as it was stored, with the geometry of its fitting."""

    device: str
    epoch: int
    seq: int
    measured_at: datetime
    received_at: datetime
    distance_mm: int | None
    spread_mm: int | None
    valid_count: int | None
    temperature_c: float | None
    battery_mv: int | None
    tilt_deg: int | None
    flags: int
    empty_mm: int
    full_mm: int


@dataclass(frozen=True, slots=True)
class Emptying:
    """One emptying, some time between `not_before` and `emptied_at`."""

    emptied_at: datetime
    not_before: datetime
    fill_before: float | None
    fill_after: float | None
    confidence: float
    source: str
    sources: list[str]
    outcome: str


@dataclass(frozen=True, slots=True)
class UsedPlace:
    """What was thrown into the bins of one place (a bin, street, area or stream) over some local days.

    `litres` are those of `observed_h` and `spread_h`, hours of bins; while a bin is full, nothing is known.
    `millilitres` is what places are sorted by.
    """

    key: str
    name: str
    bins: int
    litres: float
    observed_h: float
    spread_h: float
    full_h: float
    millilitres: int


@dataclass(frozen=True, slots=True)
class UsedWeekday:
    """What was thrown in at one place on one weekday, 1 Monday .. 7 Sunday; lists by hour 0..23, hours of bins."""

    key: str
    weekday: int
    litres: list[float]
    known_h: list[float]


@dataclass(frozen=True, slots=True)
class BinUse:
    """How a bin that stands was used and emptied over some local days; as in `ingest.assess.places.placement.Use`."""

    id: int
    ref: str
    name: str
    location: str
    area: str | None
    depot: str | None
    stream: str
    longitude: float
    latitude: float
    capacity_l: float
    max_age_days: float
    litres: float
    known_h: float
    full_h: float
    days: int
    day_sd_l: float | None
    emptyings: int
    mean_fill: float | None
    sd_fill: float | None
    max_fill: float | None
    found_full: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A message or reading that was refused, whole."""

    id: int
    received_at: datetime
    topic: str
    device: str | None
    reason: str
    detail: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class RejectCount:
    """How much was refused for one reason."""

    reason: str
    count: int
    devices: int
    last_received_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """A sensor in use, where it sits, and what it last said of itself."""

    device: str
    bin: str | None
    enrolled_at: datetime
    certificate_expires_at: datetime | None
    last_received_at: datetime | None
    last_measured_at: datetime | None
    next_report_s: int | None
    battery_mv: int | None
    status: dict[str, Any] | None
    status_received_at: datetime | None
    proposal: Proposal | None


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is or was wrong at a bin that stands; `docs/api.md` says what each field means."""

    id: int
    type: str
    state: str
    text: str
    bin: str
    name: str
    location: str
    depot: str | None
    since: datetime
    opened_at: datetime
    observed_at: datetime
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    notice: str
