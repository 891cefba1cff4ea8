"""A02YYUW ultrasonic sensor (SEN0311): 30 mm to 4.5 m over a UART at 9600 baud.

A frame is FF H L SUM: millimetres are H * 256 + L, SUM is the low byte of FF + H + L.
"""

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import Pin, Time, Uart


_HEADER = 0xFF
_FRAME_BYTES = 4
_WARM_UP_MS = 300
_FRAME_MS = 500  # with its RX pin high the sensor answers every 100 to 300 ms
_PAUSE_MS = 10


class A02YYUW:
    """The sensor on its own power pin.

    Args:
        uart: opened at 9600 8N1.
        power: pin that switches the sensor on, or None when it always has power.
        time: the module `time`.
    """

    def __init__(self, uart: "Uart", power: "Pin | None", time: "Time") -> None:
        self._uart = uart
        self._power = power
        self._time = time
        self._buffer = b""

    def samples(self, count: int) -> "list[int | None]":
        """Take `count` echoes in millimetres; None for each that did not come. The first is thrown away."""
        if self._power:
            self._power.value(1)
        try:
            self._time.sleep_ms(_WARM_UP_MS)
            self._uart.read()  # what lies in the buffer is older than the warm-up
            self._buffer = b""
            if self._frame() is None:
                return [None] * count  # silent: waiting out every one of them would cost seconds of charge
            return [self._frame() for _ in range(count)]
        finally:
            if self._power:
                self._power.value(0)

    def _frame(self) -> "int | None":
        ends = self._time.ticks_add(self._time.ticks_ms(), _FRAME_MS)
        while True:
            distance_mm = self._parse()
            if distance_mm is not None:
                return distance_mm
            if self._time.ticks_diff(ends, self._time.ticks_ms()) <= 0:
                return None
            waiting = self._uart.read()
            if waiting:
                self._buffer += waiting
            else:
                self._time.sleep_ms(_PAUSE_MS)

    def _parse(self) -> "int | None":
        # Slide by one byte: FF may also be data, and a lost byte must not cost more than its own frame.
        while len(self._buffer) >= _FRAME_BYTES:
            header, high, low, checksum = self._buffer[:_FRAME_BYTES]
            if header == _HEADER and checksum == (header + high + low) & 0xFF:
                self._buffer = self._buffer[_FRAME_BYTES:]
                return high << 8 | low
            self._buffer = self._buffer[1:]
        return None
