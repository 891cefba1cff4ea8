"""Fake of the ESP32's `network`: Wi-Fi that is there when `world.json` says `"link": true`."""

# ruff: noqa: ARG002 - the signatures are MicroPython's

import world

STA_IF = 0
_on = []


def is_radio_on():
    """Say whether Wi-Fi is on, for the ADC."""
    return bool(_on)


class WLAN:
    """A station."""

    def __init__(self, interface_id=STA_IF):
        self._joined = False

    def active(self, is_active=None):
        """Switch the radio, or say whether it is on."""
        if is_active is None:
            return bool(_on)
        _on[:] = [True] if is_active else []
        self._joined = self._joined and is_active
        return is_active

    def connect(self, ssid=None, key=None):
        """Begin to join a network."""
        if not _on:
            raise OSError("Wifi Not Started")
        self._joined = True

    def isconnected(self):
        """Say whether we are in."""
        return self._joined and bool(world.now("link"))

    def status(self, param=None):
        """Give the signal's strength in dBm."""
        if param != "rssi":
            raise ValueError("unknown status param")
        return -67
