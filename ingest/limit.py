"""How much one device may send, so that a mad one harms nobody: messages and readings a second, and some in advance.

What is over the limit is put off: neither stored nor refused nor acknowledged. A device keeps what was not acknowledged
and sends it again (docs/contract.md), so it loses nothing; and turning it away costs us next to nothing. What waited
while something was away is not put off: it comes all at once, and some senders cannot send it again.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import structlog

from ingest.metrics import Metrics

# A device may save up what it is entitled to for so long, and then send it at once.
BURST_S = 60.0
TELL_EVERY_S = 60.0
ROUNDING_S = 1e-6
KNOWN_TOPICS = 65_536
MOST_KNOWN = 200_000
# What the broker holds for us while we are away (deploy/mosquitto/mosquitto.conf), should it all be of one device.
LARGEST_BACKLOG = 1_000_000
# Large messages count as many readings: they cost time and, where they are refused, space.
BYTES_PER_READING = 32

log = structlog.get_logger()


@dataclass(slots=True)
class Allowance:
    """What one device has used up; as in the generic cell rate algorithm (ITU-T I.371), two times say it all.

    Attributes:
        messages_until: until when it would have to be silent, to have kept its rate of messages evenly.
        readings_until: the same for readings.
        put_off: messages put off since it was last told.
        put_off_at: when that last happened.
        told_at: when the log was last told.
    """

    messages_until: float
    readings_until: float
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
    _message_s: float = field(init=False)
    _reading_s: float = field(init=False)
    _backlog_s: float = field(init=False)
    _allowances: dict[str, Allowance] = field(default_factory=dict, init=False)
    _swept_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._message_s = 1 / self.messages_per_s if self.messages_per_s else 0.0
        self._reading_s = 1 / self.readings_per_s if self.readings_per_s else 0.0
        self._backlog_s = BURST_S + LARGEST_BACKLOG * self._message_s
        self._swept_at = self.clock()
        self.metrics.devices_over_limit.set_function(self._over_limit)

    def admit(self, topic: str, *, behind: bool = False) -> Allowance | None:
        """Let a message pass, and count it; None where it is put off.

        Args:
            topic: that it came on, which names the device.
            behind: what waited while we or the database were away is not received yet. A device then has much at once
                that it sent in time, and may not be able to send again.
        """
        device = _device(topic)
        now = self.clock()
        if now - self._swept_at >= BURST_S or len(self._allowances) > MOST_KNOWN:
            self._sweep(now)
        allowance = self._allowances.get(device)
        if allowance is None:
            allowance = self._allowances[device] = Allowance(now, now)
        silent_s = allowance.messages_until - now
        until_s = self._message_s + (silent_s if silent_s > 0 else 0.0)
        in_time = until_s <= BURST_S + ROUNDING_S and allowance.readings_until - now < BURST_S
        if in_time or (behind and until_s <= self._backlog_s):
            allowance.messages_until = now + until_s
            return allowance
        self._put_off(device, allowance, now)
        return None

    def caught_up(self) -> None:
        """Note that nothing waits any more: what was sent until now is forgotten, and counting begins anew."""
        now = self.clock()
        for allowance in self._allowances.values():
            allowance.messages_until = min(allowance.messages_until, now)
            allowance.readings_until = min(allowance.readings_until, now)

    def charge(self, allowance: Allowance, readings: int, size: int) -> None:
        """Count the readings of a message that passed.

        Args:
            allowance: of its device.
            readings: in it.
            size: of its payload, bytes.
        """
        readings = max(readings, size // BYTES_PER_READING)
        now = self.clock()
        since = allowance.readings_until
        allowance.readings_until = max(since, now) + readings * self._reading_s

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
            if not allowance.put_off and max(allowance.messages_until, allowance.readings_until) <= now:
                del self._allowances[device]

    def _over_limit(self) -> int:
        since = self.clock() - TELL_EVERY_S
        return sum(1 for allowance in self._allowances.values() if allowance.put_off_at >= since)


@lru_cache(maxsize=KNOWN_TOPICS)
def _device(topic: str) -> str:
    # The third level; any other topic counts for itself: a network server uses one for each device.
    levels = topic.split("/", 3)
    return levels[2] if len(levels) > 3 and levels[0] == "bins" else topic  # noqa: PLR2004 - bins, v1, device, the rest
