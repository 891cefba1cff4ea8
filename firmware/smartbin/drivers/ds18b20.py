"""DS18B20 thermometer on a 1-Wire bus."""

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import OneWireBus, Time


_CONVERSION_MS = 750  # at the 12 bits that it wakes up with
_POWER_ON_C = 85.0  # what it says before its first conversion


class DS18B20:
    """The first thermometer on the bus.

    Args:
        bus: a `ds18x20.DS18X20`.
        time: the module `time`.
    """

    def __init__(self, bus: "OneWireBus", time: "Time") -> None:
        self._bus = bus
        self._time = time

    def read_tenths(self) -> "int | None":
        """Give tenths of a degree Celsius; None when there is no thermometer or it did not convert.

        Raises:
            OSError: the bus is shorted.
        """
        found = self._bus.scan()
        if not found:
            return None
        self._bus.convert_temp()
        self._time.sleep_ms(_CONVERSION_MS)
        celsius = self._bus.read_temp(found[0])
        return None if celsius is None or celsius == _POWER_ON_C else round(celsius * 10)
