"""LIS3DH accelerometer, used as a tilt meter."""

import math
import struct

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import I2c, Time


_ADDRESS = 0x18
_WHO_AM_I, _CHIP = 0x0F, b"\x33"
_CONTROL_1, _LOW_POWER_10_HZ = 0x20, b"\x2f"
_OUT_X = 0x28 | 0x80  # the top bit lets the register count on by itself
_FIRST_SAMPLE_MS = 120


class LIS3DH:
    """The chip with its z axis upright.

    Args:
        i2c: the bus.
        time: the module `time`.
    """

    def __init__(self, i2c: "I2c", time: "Time") -> None:
        self._i2c = i2c
        self._time = time

    def read_deg(self) -> "int | None":
        """Give degrees from upright, 0..180; None when another chip answers or nothing pulls.

        Raises:
            OSError: nobody answers.
        """
        if self._i2c.readfrom_mem(_ADDRESS, _WHO_AM_I, 1) != _CHIP:
            return None
        self._i2c.writeto_mem(_ADDRESS, _CONTROL_1, _LOW_POWER_10_HZ)
        self._time.sleep_ms(_FIRST_SAMPLE_MS)
        x, y, z = struct.unpack("<hhh", self._i2c.readfrom_mem(_ADDRESS, _OUT_X, 6))
        length = math.sqrt(x * x + y * y + z * z)
        return round(math.degrees(math.acos(max(-1.0, min(1.0, z / length))))) if length else None
