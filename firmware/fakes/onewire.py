"""Fake of the frozen `onewire`."""


class OneWire:
    """A bus on a pin."""

    def __init__(self, pin):
        self.pin = pin
