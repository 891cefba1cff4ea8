"""What the council wants of one bin."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

# What holds where the council says nothing else: for a bin, its depot and stream, its depot, its stream, or everywhere.
THRESHOLD = 0.8
MAX_AGE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody at the council asked for a bin to be emptied.

    Attributes:
        requested_at: when; aware. Any emptying after it fulfils it.
        note: why, in their words; may be empty.
    """

    requested_at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the council wants of one bin.

    Attributes:
        threshold: level 0..1 from which it is due.
        max_age: time after the last emptying from which it is due.
        out_of_service_until: it is not due before; None when it is in service.
        zone: the council's time zone, for sentences.
        request: the newest one to empty it that was not cancelled; None for none.
    """

    threshold: float = THRESHOLD
    max_age: timedelta = MAX_AGE
    out_of_service_until: datetime | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/London"))
    request: Request | None = None
