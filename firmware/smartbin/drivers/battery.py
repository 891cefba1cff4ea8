"""Battery voltage behind a resistor divider."""

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import Adc


class Battery:
    """The battery.

    Args:
        adc: an `ADC` of ADC1 with 11 dB attenuation; ADC2 fails while Wi-Fi is on.
        divider: how many times the pin's voltage the battery has.
    """

    def __init__(self, adc: "Adc", divider: int) -> None:
        self._adc = adc
        self._divider = divider

    def read_mv(self) -> int:
        """Give the battery's voltage in millivolts."""
        return self._adc.read_uv() * self._divider // 1000
