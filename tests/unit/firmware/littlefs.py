"""Runs in MicroPython: appends readings to a spool on LittleFS whose power fails at every single write in turn."""

# ruff: noqa: ANN001, ANN201, ANN202, ANN204, D102, T201 - a script for MicroPython

import vfs
from smartbin import record, spool

BLOCK_BYTES, BLOCKS, BATCHES, BATCH_ROWS = 4096, 24, 8, 3


class PowerCutError(Exception):
    """Raised by flash that has no power."""


class Flash:
    """A block device in memory; the write at which the power fails is half done, and nothing works after it."""

    def __init__(self):
        self.data = bytearray(b"\xff" * BLOCK_BYTES * BLOCKS)
        self.writes_left = -1

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        size = len(buffer) if self._has_power() else len(buffer) // 2
        self.data[start : start + size] = buffer[:size]
        if not self.writes_left:
            raise PowerCutError

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK_BYTES
        if operation == 6:
            start = argument * BLOCK_BYTES
            size = BLOCK_BYTES if self._has_power() else BLOCK_BYTES // 2
            self.data[start : start + size] = b"\xff" * size
            if not self.writes_left:
                raise PowerCutError
        return 0

    def _has_power(self):
        if self.writes_left > 0:
            self.writes_left -= 1
        return self.writes_left != 0


def rows(batch):
    return [
        (1, record.pack((batch * BATCH_ROWS + n, 1772366400, 640, 4, 7, 215, 3650, 2, 0))) for n in range(BATCH_ROWS)
    ]


def run(cut_at):
    """Give the batches whose writing returned, and the flash after the power cut."""
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    flash.writes_left = cut_at
    kept = 0
    try:
        store = spool.Spool("/flash/spool")
        for batch in range(BATCHES):
            store.append(rows(batch))
            kept += 1
    except (PowerCutError, OSError):
        pass
    flash.writes_left = -1
    vfs.umount("/flash")
    return kept, flash


cut_at, cuts, lost = 1, 0, 0
while True:
    kept, flash = run(cut_at)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    read = spool.Spool("/flash/spool").read((0, 0), 1000)[0]
    expected = [slot for batch in range(kept) for slot in rows(batch)]
    lost += read[: len(expected)] != expected
    spool.Spool("/flash/spool").append(rows(99))
    lost += spool.Spool("/flash/spool").read((0, 0), 1000)[0][-BATCH_ROWS:] != rows(99)
    vfs.umount("/flash")
    if kept == BATCHES:
        break
    cuts += 1
    cut_at += 1
print(cuts, lost)
