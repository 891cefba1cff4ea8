"""What a device can be set to from here: the settings of docs/contract.md and their ranges. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import cbor2

from ingest.decode_cbor import VERSION


@dataclass(frozen=True, slots=True)
class Setting:
    """A whole number that a device can be set to.

    Attributes:
        lowest: that it may be.
        highest: likewise.
        default: of a device that was provisioned without it.
    """

    lowest: int
    highest: int
    default: int


# Nothing that could cut a device off: network, pins and the radio's time stay as provisioned.
SETTINGS: Mapping[str, Setting] = {
    "measure_interval_s": Setting(300, 86_400, 3600),
    "report_interval_s": Setting(300, 604_800, 21_600),
    "sample_count": Setting(3, 15, 7),
    "nearest_mm": Setting(0, 1000, 30),
    "farthest_mm": Setting(100, 10_000, 4500),
    "full_mm": Setting(0, 4500, 0),
    "jump_mm": Setting(50, 4500, 300),
    "alarm_temperature_c": Setting(40, 120, 60),
    "alarm_tilt_deg": Setting(10, 180, 45),
    "lid_open_deg": Setting(5, 180, 25),
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a device is to be set to.

    Attributes:
        version: counts the changes, from 1.
        settings: by names of `SETTINGS`; what is not named is as the device was provisioned.
    """

    version: int
    settings: Mapping[str, int]

    def payload(self) -> bytes:
        """Give the message that tells the device."""
        return cbor2.dumps([VERSION, self.version, dict(self.settings)])


def fault_of(settings: Mapping[str, int]) -> str | None:
    """Say in one sentence why a device would refuse these settings; None for nothing.

    A device that was provisioned with other values than the defaults may know better: it says so in its status.

    Args:
        settings: by names of `SETTINGS`.
    """
    for name, value in settings.items():
        setting = SETTINGS[name]
        if not setting.lowest <= value <= setting.highest:
            return f"{name} must be a whole number from {setting.lowest} to {setting.highest}, not {value}."
    if _value(settings, "measure_interval_s") > _value(settings, "report_interval_s"):
        return _unordered(settings, "measure_interval_s", "must not be longer than", "report_interval_s")
    if _value(settings, "nearest_mm") >= _value(settings, "farthest_mm"):
        return _unordered(settings, "nearest_mm", "must be less than", "farthest_mm")
    return None


def _value(settings: Mapping[str, int], name: str) -> int:
    return settings.get(name, SETTINGS[name].default)


def _unordered(settings: Mapping[str, int], one: str, relation: str, other: str) -> str:
    return f"{one} ({_value(settings, one)}) {relation} {other} ({_value(settings, other)}); set both."
