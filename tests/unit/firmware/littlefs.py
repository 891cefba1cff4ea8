"""For MicroPython: flash whose power fails at a given write, with LittleFS on it."""

# ruff: noqa: ANN001, ANN201, ANN202, ANN204, D102 - for MicroPython

import vfs

BLOCK_BYTES, BLOCKS = 4096, 24


class PowerCutError(Exception):
    """Raised by flash that has no power."""


class Flash:
    """A block device in memory; the write at which the power fails is half done, and nothing works after it."""

    def __init__(self):
        self.data = bytearray(b"\xff" * BLOCK_BYTES * BLOCKS)
        self.writes_left = -1
        vfs.VfsLfs2.mkfs(self)

    def mount(self):
        """Show it as `/flash`, as after a start."""
        vfs.mount(vfs.VfsLfs2(self), "/flash")

    def umount(self):
        """Give it power again, and leave it as it is."""
        self.writes_left = -1
        vfs.umount("/flash")

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
