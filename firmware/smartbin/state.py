"""What survives a deep sleep: one block in RTC memory (at most 2048 bytes) with its own checksum.

The chip does not check this memory after an abnormal reset, and loses it with the power.
"""

import binascii
import struct

from . import record

CAPACITY = 2048
MAGIC = 0xB147
VERSION = 1
RING_ROWS = 100

_HEAD = "<HBBIIIIIHHHHHHHBBB"
_HEAD_AT = 4  # the checksum comes first
_RECORDS_AT = _HEAD_AT + struct.calcsize(_HEAD)

SYNCED = 1  # the clock has been set in this epoch
SUBSCRIBED = 8  # the broker's session holds our subscription; 2 was that of an older program, to acknowledgements alone
REPORT_NEXT = 4  # readings were left behind: go on at the next wake

NO_SLIP = 1000  # thousandths: true seconds for each second of the sleep timer


class State:
    """The block's fields; `ring` holds packed records of this epoch, oldest first."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.next_seq = 0
        self.boot_count = 0
        self.synced_at = 0  # Unix seconds of the last setting of the clock
        self.spool_segment = 0  # everything on flash before this place is forgotten
        self.spool_offset = 0
        self.wakes_since_report = 0
        self.wakes_since_status = 0
        self.retry_wakes = 0  # wakes to let pass after a failure
        self.torn_count = 0
        self.slip = NO_SLIP
        self.last_distance_mm = 0  # 0: none yet
        self.failures = 0
        self.flags = 0
        self.alarms = 0
        self.ring: "list[bytes]" = []

    def has(self, flag: int) -> bool:
        """Say whether a flag is set."""
        return bool(self.flags & flag)

    def put(self, flag: int, on: bool) -> None:
        """Set or clear a flag."""
        self.flags = self.flags | flag if on else self.flags & ~flag

    def dump(self) -> bytearray:
        """Write the block, in one buffer: the chip has no memory for copies of it."""
        block = bytearray(_RECORDS_AT + len(self.ring) * record.SIZE)
        struct.pack_into(
            _HEAD,
            block,
            _HEAD_AT,
            MAGIC,
            VERSION,
            len(self.ring),
            self.epoch,
            self.next_seq,
            self.boot_count,
            self.synced_at,
            self.spool_segment,
            self.spool_offset,
            _u16(self.wakes_since_report),
            _u16(self.wakes_since_status),
            _u16(self.retry_wakes),
            _u16(self.torn_count),
            self.slip,
            self.last_distance_mm,
            min(self.failures, 255),
            self.flags,
            self.alarms,
        )
        at = _RECORDS_AT
        for packed in self.ring:
            block[at : at + record.SIZE] = packed
            at += record.SIZE
        struct.pack_into("<I", block, 0, binascii.crc32(memoryview(block)[_HEAD_AT:]))
        return block


def load(block: bytes) -> "State | None":
    """Read the block; None when it is empty, damaged or another program's."""
    if len(block) < _RECORDS_AT or struct.unpack_from("<I", block)[0] != binascii.crc32(memoryview(block)[_HEAD_AT:]):
        return None
    fields = struct.unpack_from(_HEAD, block, _HEAD_AT)
    magic, version, count = fields[:3]
    if magic != MAGIC or version != VERSION or len(block) != _RECORDS_AT + count * record.SIZE:
        return None
    state = State(fields[3])
    (
        state.next_seq,
        state.boot_count,
        state.synced_at,
        state.spool_segment,
        state.spool_offset,
        state.wakes_since_report,
        state.wakes_since_status,
        state.retry_wakes,
        state.torn_count,
        state.slip,
        state.last_distance_mm,
        state.failures,
        state.flags,
        state.alarms,
    ) = fields[4:]
    state.ring = [block[at : at + record.SIZE] for at in range(_RECORDS_AT, len(block), record.SIZE)]
    return state


def _u16(count: int) -> int:
    return min(count, 0xFFFF)
