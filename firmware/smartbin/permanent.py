"""The few numbers that outlive a lost battery, in the chip's key-value flash (NVS)."""

import struct

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import Nvs


_PAIR = "<Ii"
_PAIR_SIZE = 8
_KEPT_OFFSETS = 8


class Permanent:
    """Names and types for what is kept; `nvs` is an `esp32.NVS`."""

    def __init__(self, nvs: "Nvs") -> None:
        self._nvs = nvs

    def raise_epoch(self) -> int:
        """Begin a new epoch; it is committed before anyone can use it, so that none is ever used twice."""
        epoch = self._number("epoch") + 1
        self._nvs.set_i32("epoch", epoch)
        self._nvs.commit()
        return epoch

    def dropped_count(self) -> int:
        """Count the readings that found no room, ever."""
        return self._number("dropped")

    def add_dropped(self, count: int) -> None:
        """Add to the count of readings that found no room."""
        self._nvs.set_i32("dropped", self._number("dropped") + count)
        self._nvs.commit()

    def unfinished_count(self) -> int:
        """Count the wakes in a row that began with lost memory and never came to their end."""
        return self._number("unfinished")

    def set_unfinished(self, count: int) -> None:
        """Remember that a wake begins (count + 1) or ended well (0)."""
        if count != self._number("unfinished"):
            self._nvs.set_i32("unfinished", count)
            self._nvs.commit()

    def told_config_version(self) -> int:
        """Give the version of the configuration that the last status told; 0 before any."""
        return self._number("told_config")

    def set_told_config_version(self, version: int) -> None:
        """Remember that a status told this version."""
        if version != self._number("told_config"):
            self._nvs.set_i32("told_config", version)
            self._nvs.commit()

    def time_offset(self, epoch: int) -> "int | None":
        """Give true time less clock of an epoch that began with a clock never set; None when it was not learned."""
        for known, offset_s in self._offsets():
            if known == epoch:
                return offset_s
        return None

    def keep_time_offset(self, epoch: int, offset_s: int) -> int:
        """Keep an epoch's offset; the first one stays, because a resend must be byte-identical.

        Returns:
            The offset that holds.
        """
        known = self.time_offset(epoch)
        if known is not None:
            return known
        pairs = self._offsets()[1 - _KEPT_OFFSETS :]
        pairs.append((epoch, offset_s))
        self._nvs.set_blob("offsets", b"".join([struct.pack(_PAIR, *pair) for pair in pairs]))
        self._nvs.commit()
        return offset_s

    def _number(self, key: str) -> int:
        try:
            return self._nvs.get_i32(key)
        except OSError:
            return 0  # never written

    def _offsets(self) -> "list[tuple[int, int]]":
        buffer = bytearray(_PAIR_SIZE * _KEPT_OFFSETS)
        try:
            size = self._nvs.get_blob("offsets", buffer)
        except OSError:
            return []
        pairs = []
        for at in range(0, size, _PAIR_SIZE):
            epoch, offset_s = struct.unpack_from(_PAIR, buffer, at)
            pairs.append((int(epoch), int(offset_s)))
        return pairs
