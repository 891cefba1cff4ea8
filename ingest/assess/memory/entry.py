"""What is known of one bin beside its readings. Pure."""

from dataclasses import dataclass
from datetime import datetime

from ingest.assess.decisions.rules import Rules
from ingest.assess.levels.reports import Report
from ingest.assess.levels.sensor import Sensor


@dataclass(frozen=True, slots=True)
class Entry:
    """One bin.

    Attributes:
        rules: what the council wants.
        sensor: that sits in it now; None for none.
        reports: the newest emptyings that others than its sensor reported, in any order.
        horizon: until when it has to wait when the coming round leaves it out; None where there are no rounds.
        pool: what it has in common with bins that fill like it: its stream.
    """

    rules: Rules
    sensor: Sensor | None
    reports: tuple[Report, ...] = ()
    horizon: datetime | None = None
    pool: str = ""
