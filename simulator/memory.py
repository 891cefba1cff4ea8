"""What a fleet of virtual devices knows from one run to the next."""

import json
from pathlib import Path

from simulator.sensor import DAY_S

HISTORY_DAYS = 28


class Memory:
    """When the town began, and until when each device has handed its readings over; kept in a file.

    Attributes:
        began_at: Unix seconds of the first start; the history before it is made up.
        settled: for each device, until when all its readings are acknowledged, Unix seconds.
    """

    def __init__(self, path: Path, now_s: int) -> None:
        self._path = path
        kept = json.loads(path.read_text()) if path.exists() else {}
        self.began_at: int = kept.get("began_at", now_s)
        self.settled: dict[str, int] = kept.get("settled", {})

    @property
    def history_from(self) -> int:
        """Unix seconds from which on there are readings."""
        return self.began_at - HISTORY_DAYS * DAY_S

    def settle(self, device: str, until_s: int) -> None:
        """Note that all readings of a device measured until then are acknowledged."""
        self.settled[device] = max(self.settled.get(device, self.history_from), until_s)

    def save(self, waiting: int) -> None:
        """Write the file, whole or not at all.

        Args:
            waiting: readings that are not acknowledged yet, for whoever watches the file.
        """
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps({"began_at": self.began_at, "waiting": waiting, "settled": self.settled}))
        new.replace(self._path)
