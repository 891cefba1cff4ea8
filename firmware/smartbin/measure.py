"""Takes one reading from whatever sensors the device has."""

from . import codec, filters
from .config import Config

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from typing import Callable

    from hardware import BatteryMeter, DistanceSensor, Thermometer, TiltMeter


class Bench:
    """The sensors of one device.

    Args:
        distance: gives echoes with `samples(count)`: millimetres, or None for an echo that never came.
        battery: gives millivolts with `read_mv()`.
        temperature: gives tenths of a degree with `read_tenths()`, or is None.
        tilt: gives degrees from upright with `read_deg()`, or is None.
    """

    def __init__(
        self,
        distance: "DistanceSensor",
        battery: "BatteryMeter",
        temperature: "Thermometer | None" = None,
        tilt: "TiltMeter | None" = None,
    ) -> None:
        self._distance = distance
        self._battery = battery
        self._temperature = temperature
        self._tilt = tilt

    def read(self, config: Config, measured_at: int) -> "tuple[int | None, ...]":
        """Measure once.

        Returns:
            A row of `codec.ROW_FIELDS` whose `seq` is still 0. A sensor that fails leaves None.
        """
        battery_mv = _try(self._battery.read_mv)  # before the radio and the sensor load it
        tilt_deg = _try(self._tilt.read_deg) if self._tilt else None
        temperature = _try(self._temperature.read_tenths) if self._temperature else None
        samples = self._distance.samples(config.sample_count)
        echoes = filters.valid_echoes(samples, config.nearest_mm, config.farthest_mm)
        flags = codec.LID_OPEN if tilt_deg is not None and tilt_deg >= config.lid_open_deg else 0
        return (
            0,
            measured_at,
            filters.median(echoes),
            filters.spread(echoes),
            len(echoes),
            temperature,
            battery_mv,
            tilt_deg,
            flags,
        )


def _try(read: "Callable[[], int | None]") -> "int | None":
    try:
        return read()
    except (OSError, ValueError):
        return None  # one broken sensor must not cost the others
