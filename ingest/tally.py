"""What a stream of messages came to, told in the log now and then: a line for each batch would drown the rest."""

import math
import time
from dataclasses import dataclass, field

import structlog

from ingest.store import Stored

TELL_EVERY_S = 60.0
MOST_NAMED = 20

log = structlog.get_logger()


@dataclass(slots=True)
class Tally:
    """Counts since it was last told.

    Attributes:
        client: whose messages they are.
    """

    client: str
    messages: int = field(default=0, init=False)
    readings: int = field(default=0, init=False)
    duplicates: int = field(default=0, init=False)
    rejects: int = field(default=0, init=False)
    told_at: float = field(default_factory=time.monotonic, init=False)
    conflicting: set[str] = field(default_factory=set, init=False)
    conflict_told_at: float = field(default=-math.inf, init=False)

    def count(self, messages: int, stored: Stored) -> None:
        """Add a batch, and tell when it is time."""
        self.messages += messages
        self.readings += stored.readings
        self.duplicates += stored.duplicates
        self.rejects += stored.rejects
        self.conflicting |= stored.conflicting
        if self.conflicting and time.monotonic() - self.conflict_told_at >= TELL_EVERY_S:
            self._tell_conflicts()
        if time.monotonic() - self.told_at >= TELL_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Log the counts, if there are any, and begin again."""
        if self.messages:
            log.info(
                "stored",
                client=self.client,
                messages=self.messages,
                readings=self.readings,
                duplicates=self.duplicates,
                rejects=self.rejects,
            )
        self.messages = self.readings = self.duplicates = self.rejects = 0
        self.told_at = time.monotonic()

    def _tell_conflicts(self) -> None:
        # At once the first time: a device that changes its story is broken, or not the one that it says it is.
        devices = sorted(self.conflicting)
        log.warning(
            "conflict: a device sent other values for readings that are stored; see `rejects list --reason conflict`",
            client=self.client,
            devices=devices[:MOST_NAMED],
            device_count=len(devices),
        )
        self.conflicting.clear()
        self.conflict_told_at = time.monotonic()
