"""Who plays which sensor of a demo town: the real firmware, nobody (the spare one), or a virtual device."""

from dataclasses import dataclass

from simulator.city import Bin, City


@dataclass(frozen=True, slots=True)
class Roles:
    """Bins whose sensors are not virtual.

    Attributes:
        firmware: their sensors run the real firmware.
        spare: its sensor is left to whoever tries the demo out; None in a town without sensors.
    """

    firmware: tuple[Bin, ...]
    spare: Bin | None

    @property
    def firmware_devices(self) -> tuple[str, ...]:
        """The devices that run the real firmware."""
        return tuple(place.device for place in self.firmware if place.device)

    @property
    def spare_device(self) -> str | None:
        """The device that is left to others."""
        return self.spare.device if self.spare else None


def assign_roles(city: City, firmware: int) -> Roles:
    """Choose the spare sensor next to the market square, and those with the real firmware all over the town.

    Args:
        city: the town.
        firmware: how many run the real firmware; fewer where the town has fewer sensors.
    """
    fitted = sorted(city.fitted, key=lambda place: place.east_m**2 + place.north_m**2)
    if not fitted:
        return Roles((), None)
    spare, rest = fitted[0], sorted(fitted[1:], key=lambda place: place.ref)
    count = min(firmware, len(rest))
    return Roles(tuple(rest[turn * len(rest) // count] for turn in range(count)), spare)
