"""Fake of the frozen `ds18x20`: one thermometer, as warm as `world.json` says; null means that there is none."""

# ruff: noqa: ARG002 - the signatures are MicroPython's

import world


class DS18X20:
    """The thermometers on a bus."""

    def __init__(self, onewire):
        self._bus = onewire

    def scan(self):
        """List the thermometers."""
        return [] if world.now("temperature_c") is None else [bytearray(b"(\0\0\0\0\0\0\0")]

    def convert_temp(self):
        """Start a conversion."""

    def read_temp(self, rom):
        """Give degrees Celsius."""
        return float(world.now("temperature_c"))
