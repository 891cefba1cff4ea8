"""Readings on their way: a ring in RTC memory, then flash, until the server says that it has them.

Every change is saved before the next step relies on it, so that a wake may end at any instruction.
"""

from . import record
from . import state as rtc_state
from .clock import Clock, learn_slip
from .permanent import Permanent
from .spool import Spool

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from typing import Callable

    from hardware import Rtc

    Covered = Callable[[int, int], bool]


MESSAGE_ROWS = 24
FRESH_S = 3600  # older readings go to `up/backlog`


class Outbox:
    """What waits to be sent.

    Args:
        rtc: `machine.RTC()`, for its memory.
        permanent: a `Permanent`.
        spool: a `Spool`.
        clock: a `Clock`.
    """

    def __init__(self, rtc: "Rtc", permanent: Permanent, spool: Spool, clock: Clock) -> None:
        self._rtc = rtc
        self._permanent = permanent
        self._spool = spool
        self._clock = clock
        self._torn_ahead = 0
        known = rtc_state.load(rtc.memory())
        self.lost_memory = known is None
        self.state = known or rtc_state.State(permanent.raise_epoch())
        if known and known.has(rtc_state.SYNCED) and not clock.is_set():
            # The clock restarted without the memory: its count has a new origin, so the epoch needs one, too.
            self._spill()
            known.ring, known.epoch, known.next_seq = [], permanent.raise_epoch(), 0
            known.put(rtc_state.SYNCED, on=False)
        self.state.boot_count += 1
        self.save()

    def save(self) -> None:
        """Write the state to RTC memory."""
        self._rtc.memory(self.state.dump())

    def add(self, row: "tuple[int | None, ...]") -> int:
        """Keep a reading; it is safe when this returns.

        Args:
            row: of `codec.ROW_FIELDS`; its `seq` is given here, and its clock's state is marked.

        Returns:
            The `seq` it got.
        """
        seq = self.state.next_seq
        flags = (row[8] or 0) | (0 if self.state.has(rtc_state.SYNCED) else record.UNSYNCED)
        if len(self.state.ring) >= rtc_state.RING_ROWS:
            self._spill()
        whole = (seq,) + row[1:8] + (flags,)  # noqa: RUF005 - MicroPython has no stars in displays
        self.state.ring.append(record.pack(whole))
        self.state.next_seq = seq + 1
        self.save()
        return seq

    def set_clock(self, true_s: int) -> None:
        """Set the clock to true Unix seconds, and make the time of earlier readings final."""
        state, offset_s = self.state, true_s - self._clock.now()
        if state.has(rtc_state.SYNCED):
            counted_s = self._clock.now() - state.synced_at
            state.slip = learn_slip(state.slip, counted_s + offset_s, counted_s)
        if not self.state.has(rtc_state.SYNCED):
            # In this order: flash keeps the offset before anything relies on it, and the clock changes last.
            offset_s = self._permanent.keep_time_offset(self.state.epoch, offset_s)
            self.state.ring = [record.correct(packed, offset_s) for packed in self.state.ring]
            self.state.put(rtc_state.SYNCED, on=True)
        self.state.synced_at = true_s
        self.save()
        if offset_s not in (-1, 0, 1):
            self._clock.set(true_s)

    def ring_batches(self) -> "list[tuple[str, int, list[tuple[int | None, ...]]]]":
        """Give what the ring holds as messages of at most `MESSAGE_ROWS`, the last hour's first.

        Returns:
            (topic's last part, epoch, rows) of each; a reading whose time is not final waits.
        """
        return self._batches([(self.state.epoch, packed) for packed in self.state.ring])

    def spool_batches(self) -> "tuple[list[tuple[str, int, list[tuple[int | None, ...]]]], tuple[int, int]]":
        """Give the oldest of what flash holds as messages, and the place they reach. The clock must have been set."""
        slots, place, self._torn_ahead = self._spool.read(self.place(), MESSAGE_ROWS)
        final = []
        for epoch, packed in slots:
            # Of an earlier epoch whose clock was never set the time cannot be known any more: the server gets the
            # clock's count as it is, and keeps the reading among the rejects.
            offset_s = 0 if record.is_final(packed) else self._permanent.time_offset(epoch) or 0
            final.append((epoch, record.correct(packed, offset_s)))
        return self._batches(final), place

    def forget(self, covered: "Covered") -> None:
        """Drop the ring's readings for which `covered(epoch, seq)` is true: the server has them."""
        epoch = self.state.epoch
        self.state.ring = [packed for packed in self.state.ring if not covered(epoch, record.seq_of(packed))]
        self.save()

    def forget_spooled(self, place: "tuple[int, int]") -> None:
        """Drop what flash holds before `place`: the server has it."""
        self.state.spool_segment, self.state.spool_offset = place
        self.state.torn_count += self._torn_ahead
        self._torn_ahead = 0
        self.save()  # before deleting: a number that is free again must not look like one already read
        self._spool.forget(place)

    def settle(self) -> None:
        """Move what could not be delivered to flash, where it outlives the battery."""
        if self.state.ring:
            self._spill()

    def waiting_count(self) -> int:
        """Count the readings that the device still holds."""
        return len(self.state.ring) + self._spool.waiting_count(self.place())

    def place(self) -> "tuple[int, int]":
        """Give the place on flash up to which all is forgotten."""
        return self.state.spool_segment, self.state.spool_offset

    def _spill(self) -> None:
        slots = [(self.state.epoch, packed) for packed in self.state.ring]
        try:
            dropped = self._spool.append(slots, self.place())
        except OSError:
            # Broken flash: the ring goes on alone and gives up its oldest.
            dropped = max(0, len(self.state.ring) - rtc_state.RING_ROWS + 1)
            self.state.ring = self.state.ring[dropped:]
        else:
            self.state.ring = []
        if dropped:
            self._permanent.add_dropped(dropped)
        self.save()

    def _batches(self, slots: "list[tuple[int, bytes]]") -> "list[tuple[str, int, list[tuple[int | None, ...]]]]":
        oldest_fresh = self._clock.now() - FRESH_S
        groups: "dict[tuple[bool, int], list[tuple[int | None, ...]]]" = {}
        for epoch, packed in slots:
            if epoch == self.state.epoch and not record.is_final(packed):
                continue
            row = record.unpack(packed)
            is_old = (row[1] or 0) < oldest_fresh
            groups.setdefault((is_old, epoch), []).append(row)
        batches = []
        for is_old, epoch in sorted(groups):
            rows = groups[(is_old, epoch)]
            for at in range(0, len(rows), MESSAGE_ROWS):
                name = "up/backlog" if is_old else "up/readings"
                batches.append((name, epoch, rows[at : at + MESSAGE_ROWS]))
        return batches
