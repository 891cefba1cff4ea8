"""What is known of one bin beside its readings. Pure."""

from dataclasses import dataclass
from datetime import datetime

from ingest.assess.due import Rules
from ingest.assess.sensor import Sensor


@dataclass(frozen=True, slots=True)
class Entry:
    """One bin.

    Attributes:
        rules: what the council wants.
        sensor: that sits in it now; None for none.
        last_emptied_at: newest emptying on record, whoever reported it; None for none.
    """

    rules: Rules
    sensor: Sensor | None
    last_emptied_at: datetime | None = None
