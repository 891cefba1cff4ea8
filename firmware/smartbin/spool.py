"""Readings on flash: append-only segments of slots of one fixed size, so that damage costs only the slot it hits.

A slot is epoch, record, CRC-32. LittleFS copies a file that is changed in its middle, so nothing is ever
overwritten: segments are only appended to and deleted whole.
"""

import binascii
import os
import struct

from . import record

SLOT = 4 + record.SIZE + 4
SEGMENT_SLOTS = 151  # one flash block of 4096 bytes
LIMIT_BYTES = 65536


class Spool:
    """The segments in one directory; a place in them is (segment, offset in bytes)."""

    def __init__(self, directory: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self._directory = directory
        self._most_segments = max(2, limit_bytes // (SEGMENT_SLOTS * SLOT))
        try:
            os.mkdir(directory)
        except OSError:
            os.stat(directory)  # it exists already, or the flash is broken: then let that be known

    def append(self, slots: "list[tuple[int, bytes]]", after: "tuple[int, int]" = (0, 0)) -> int:
        """Keep readings; they are on flash when this returns.

        Args:
            slots: (epoch, packed record) of each.
            after: where reading has got to; segments before it are free.

        Returns:
            How many slots of the oldest readings had to be dropped to make room.

        Raises:
            OSError: the flash takes nothing even after that.
        """
        dropped = refusals = 0
        while slots:
            segment, room = self._writable(after)
            dropped += self._make_room(segment, after)
            try:
                self._write(segment, slots[:room])
            except OSError:
                # Full before its limit: give up the oldest, and begin a new segment after the torn one.
                refusals += 1
                if refusals > self._most_segments:
                    raise
                dropped += self._drop_oldest(after)
            else:
                slots = slots[room:]
        return dropped

    def read(self, place: "tuple[int, int]", count: int) -> "tuple[list[tuple[int, bytes]], tuple[int, int], int]":
        """Read up to `count` good slots from `place` on.

        Returns:
            (epoch, packed record) of each, the place after them, and how many damaged slots were passed over.
        """
        slots: "list[tuple[int, bytes]]" = []
        torn = 0
        for segment in self._segments():
            if segment < place[0]:
                continue
            offset = place[1] if segment == place[0] else 0
            with open(self._path(segment), "rb") as file:
                file.seek(offset)
                while len(slots) < count:
                    raw = file.read(SLOT)
                    if not raw:
                        break
                    offset += len(raw)
                    slot = _checked(raw)
                    if slot is None:
                        torn += 1
                    else:
                        slots.append(slot)
            place = (segment, offset)
            if len(slots) == count:
                break
        return slots, place, torn

    def forget(self, place: "tuple[int, int]") -> None:
        """Delete the segments that lie wholly before `place`."""
        for segment in self._segments():
            if segment < place[0] or (segment == place[0] and self._size(segment) <= place[1]):
                os.remove(self._path(segment))

    def waiting_count(self, place: "tuple[int, int]") -> int:
        """Count the slots from `place` on, damaged ones included."""
        total = 0
        for segment in self._segments():
            if segment >= place[0]:
                start = place[1] if segment == place[0] else 0
                total += max(0, self._size(segment) - start) // SLOT
        return total

    def _segments(self) -> "list[int]":
        return sorted(int(name[:-4], 16) for name in os.listdir(self._directory) if name.endswith(".log"))

    def _path(self, segment: int) -> str:
        return "%s/%08x.log" % (self._directory, segment)

    def _size(self, segment: int) -> int:
        return int(os.stat(self._path(segment))[6])

    def _writable(self, after: "tuple[int, int]") -> "tuple[int, int]":
        segments = self._segments()
        if segments and segments[-1] >= after[0]:
            size = self._size(segments[-1])
            # A torn tail would put every later slot out of step: begin a new segment instead.
            if size % SLOT == 0 and size < SEGMENT_SLOTS * SLOT:
                return segments[-1], SEGMENT_SLOTS - size // SLOT
        newest = segments[-1] if segments else 0
        return max(newest, after[0]) + 1, SEGMENT_SLOTS

    def _write(self, segment: int, slots: "list[tuple[int, bytes]]") -> None:
        data = bytearray()
        for epoch, packed in slots:
            body = struct.pack("<I", epoch) + packed
            data.extend(body + struct.pack("<I", binascii.crc32(body)))
        # LittleFS commits when the file is closed.
        with open(self._path(segment), "ab") as file:
            if file.write(data) != len(data):
                raise OSError(28)
        sync = getattr(os, "sync", None)
        if sync:
            sync()

    def _make_room(self, segment: int, after: "tuple[int, int]") -> int:
        dropped = 0
        while len(set(self._segments()) | {segment}) > self._most_segments:
            dropped += self._drop_oldest(after)
        return dropped

    def _drop_oldest(self, after: "tuple[int, int]") -> int:
        segments = self._segments()
        if not segments:
            return 0
        oldest = segments[0]
        start = after[1] if oldest == after[0] else 0 if oldest > after[0] else self._size(oldest)
        lost = max(0, self._size(oldest) - start) // SLOT
        os.remove(self._path(oldest))
        return lost


def _checked(raw: bytes) -> "tuple[int, bytes] | None":
    if len(raw) != SLOT or struct.unpack_from("<I", raw, SLOT - 4)[0] != binascii.crc32(raw[: SLOT - 4]):
        return None
    return struct.unpack_from("<I", raw)[0], raw[4 : SLOT - 4]
