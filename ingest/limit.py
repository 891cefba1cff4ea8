"""How much one device may send, so that a mad one harms nobody: buckets of messages and of readings, refilled evenly.

What is over the limit is put off: neither stored nor refused nor acknowledged. A device keeps what was not acknowledged
and sends it again (docs/contract.md), so it loses nothing; and turning it away costs us next to nothing.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from ingest.metrics import Metrics

# A device may save up what it is entitled to for so long, and then send it at once.
BURST_S = 60.0
TELL_EVERY_S = 60.0
UNLIMITED_PER_S = 1e12

log = structlog.get_logger()


@dataclass(slots=True)
class Allowance:
    """What one device may still send.

    Attributes:
        messages: that it may send now.
        readings: that it may send now; below 0 when its last message held more than that.
        counted_at: when that was so, seconds of the clock.
        put_off: messages put off since it was last told.
        put_off_at: when that last happened.
        told_at: when the log was last told.
    """

    messages: float
    readings: float
    counted_at: float
    put_off: int = 0
    put_off_at: float = -math.inf
    told_at: float = -math.inf


@dataclass(slots=True)
class Limit:
    """Says whose messages pass; one for all streams.

    Attributes:
        messages_per_s: that a device may send for ever; 0 for no limit.
        readings_per_s: the same for readings.
        metrics: is told what was put off.
        clock: seconds that never go back.
    """

    messages_per_s: float
    readings_per_s: float
    metrics: Metrics
    clock: Callable[[], float] = time.monotonic
    _allowances: dict[str, Allowance] = field(default_factory=dict, init=False)
    _swept_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.messages_per_s = self.messages_per_s or UNLIMITED_PER_S
        self.readings_per_s = self.readings_per_s or UNLIMITED_PER_S
        self._swept_at = self.clock()
        self.metrics.devices_over_limit.set_function(self._over_limit)

    def admits(self, topic: str) -> bool:
        """Say whether a message may pass, and count it.

        Args:
            topic: that it came on, which names the device.
        """
        device = _device(topic)
        now = self.clock()
        if now - self._swept_at >= BURST_S:
            self._sweep(now)
        allowance = self._allowances.get(device)
        if allowance is None:
            allowance = Allowance(self.messages_per_s * BURST_S, self.readings_per_s * BURST_S, now)
            self._allowances[device] = allowance
        else:
            self._refill(allowance, now)
        if allowance.messages >= 1 and allowance.readings > 0:
            allowance.messages -= 1
            return True
        self._put_off(device, allowance, now)
        return False

    def charge(self, topic: str, readings: int) -> None:
        """Count the readings of a message that passed."""
        allowance = self._allowances.get(_device(topic))
        if allowance is not None:
            allowance.readings -= readings

    def _refill(self, allowance: Allowance, now: float) -> None:
        passed_s = now - allowance.counted_at
        allowance.messages = min(allowance.messages + passed_s * self.messages_per_s, self.messages_per_s * BURST_S)
        allowance.readings = min(allowance.readings + passed_s * self.readings_per_s, self.readings_per_s * BURST_S)
        allowance.counted_at = now

    def _put_off(self, device: str, allowance: Allowance, now: float) -> None:
        self.metrics.put_off.inc()
        allowance.put_off += 1
        allowance.put_off_at = now
        if now - allowance.told_at >= TELL_EVERY_S:
            self._tell(device, allowance, now)

    def _tell(self, device: str, allowance: Allowance, now: float) -> None:
        log.warning("device over its limit: what it sends too much is left for it to send again",
                    device=device, put_off=allowance.put_off)  # fmt: skip
        allowance.put_off = 0
        allowance.told_at = now

    def _sweep(self, now: float) -> None:
        """Tell the rest of the counts, and forget who is entitled to everything again."""
        self._swept_at = now
        for device, allowance in list(self._allowances.items()):
            if allowance.put_off and now - allowance.told_at >= TELL_EVERY_S:
                self._tell(device, allowance, now)
            if not allowance.put_off and now - allowance.counted_at >= BURST_S and allowance.readings >= 0:
                del self._allowances[device]

    def _over_limit(self) -> int:
        since = self.clock() - TELL_EVERY_S
        return sum(1 for allowance in self._allowances.values() if allowance.put_off_at >= since)


def _device(topic: str) -> str:
    # The third level; any other topic counts for itself, and a network server has one for each device.
    levels = topic.split("/", 3)
    return levels[2] if len(levels) > 3 and levels[0] == "bins" else topic  # noqa: PLR2004 - bins, v1, device, the rest
