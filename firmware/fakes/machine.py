"""Fake of the ESP32's `machine` for MicroPython's unix port; see README.md for the protocol."""

# ruff: noqa: ARG002 - the signatures are MicroPython's

import _thread
import math
import os
import random
import struct
import sys

import utime
import world
from umachine import *  # noqa: F403 - what the unix port has is real

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
SLEPT, RESTARTED = 75, 76  # exit codes
_RTC_BYTES = 2048
_FIRST_ADC1_PIN, _LAST_ADC1_PIN = 32, 39

world.enter()


def _cause():
    if "sleep.json" in os.listdir(world.DIRECTORY):
        os.remove(world.path("sleep.json"))
        return DEEPSLEEP_RESET
    if "reset.json" in os.listdir(world.DIRECTORY):
        os.remove(world.path("reset.json"))
        return HARD_RESET
    # The harness deletes rtc.bin to cut the power; a process that was killed leaves it, like a watchdog's reset.
    return WDT_RESET if "rtc.bin" in os.listdir(world.DIRECTORY) else PWRON_RESET


_CAUSE = _cause()


def reset_cause():
    """Say why the chip started."""
    return _CAUSE


def deepsleep(time_ms=0):
    """End the process; the harness decides how long it really sleeps."""
    world.save("sleep.json", {"ms": int(time_ms)})
    sys.exit(SLEPT)


def reset():
    """End the process; the harness starts it again."""
    world.save("reset.json", {})
    sys.exit(RESTARTED)


class RTC:
    """The clock and the 2048 bytes that survive all but a power cut."""

    def memory(self, data=None):
        """Read, or write when `data` is given."""
        if data is None:
            try:
                with open(world.path("rtc.bin"), "rb") as file:
                    return file.read()
            except OSError:
                return b""
        if len(data) > _RTC_BYTES:
            raise ValueError("buffer too long")
        with open(world.path("rtc.bin.new"), "wb") as file:
            file.write(data)
        os.rename(world.path("rtc.bin.new"), world.path("rtc.bin"))
        return None

    def datetime(self, when):
        """Set the clock: year, month, day, weekday, hours, minutes, seconds, subseconds."""
        year, month, day, weekday, hour, minute, second = when[:7]
        unix_s = utime.mktime((year, month, day, hour, minute, second, weekday, 0))
        world.save("clock.json", {"offset_s": int(unix_s - utime.time())})


class Pin:
    """A pin that nothing but our own code looks at."""

    IN, OUT = 0, 1

    def __init__(self, id, mode=-1, pull=-1, *, value=None):  # noqa: A002 - MicroPython's own name
        self.id = id
        self._level = value

    def value(self, level=None):
        """Give or set the level."""
        if level is None:
            return self._level
        self._level = level
        return None


class ADC:
    """Sees half of the battery's voltage, as behind the usual divider."""

    ATTN_11DB = 3

    def __init__(self, pin, *, atten=ATTN_11DB):
        self._pin = pin

    def read_uv(self):
        """Read microvolts; ADC2 fails while Wi-Fi is on, as on the chip."""
        if not _FIRST_ADC1_PIN <= self._pin.id <= _LAST_ADC1_PIN:
            network = sys.modules.get("network")
            if network and network.is_radio_on():
                raise OSError(261)
        return world.now("battery_mv") * 1000 // 2


class UART:
    """An A02YYUW on the line: real frames, with the noise and the faults that `world.json` asks for."""

    def __init__(self, id, baudrate=9600, *, tx=None, rx=None):  # noqa: A002
        self._odd = False

    def read(self, nbytes=None):
        """Give what has come in, or None."""
        kind = world.now("sensor")
        if kind == "silent":
            return None
        if kind == "garbage":
            return bytes([random.getrandbits(8) for _ in range(8)])
        noise_mm = world.now("noise_mm")
        distance_mm = world.now("distance_mm") + (random.randint(-noise_mm, noise_mm) if noise_mm else 0)
        high, low = max(0, min(0xFFFF, distance_mm)) >> 8, max(0, min(0xFFFF, distance_mm)) & 0xFF
        # Reads do not fall together with frames on a real line: every second one comes with a stray byte before it.
        self._odd = not self._odd
        return (b"\xff" if self._odd else b"") + bytes((0xFF, high, low, (0xFF + high + low) & 0xFF))


class I2C:
    """A LIS3DH, tilted as `world.json` says."""

    def __init__(self, id, *, scl, sda, freq=400000):  # noqa: A002
        pass

    def readfrom_mem(self, addr, memaddr, nbytes):
        """Read a register."""
        if memaddr == 0x0F:  # noqa: PLR2004 - WHO_AM_I
            return b"\x33"
        angle = math.radians(world.now("tilt_deg"))
        return struct.pack("<hhh", int(16000 * math.sin(angle)), 0, int(16000 * math.cos(angle)))

    def writeto_mem(self, addr, memaddr, buf):
        """Write a register."""


class WDT:
    """Really kills the process when it is not fed in time."""

    def __init__(self, id=0, timeout=5000):  # noqa: A002
        self._timeout_ms = timeout
        self.feed()
        _thread.start_new_thread(self._watch, ())

    def feed(self):
        """Put the death off."""
        self._ends = utime.ticks_add(utime.ticks_ms(), self._timeout_ms)

    def _watch(self):
        while utime.ticks_diff(self._ends, utime.ticks_ms()) > 0:
            utime.sleep_ms(200)
        os.system("kill -9 $PPID")  # noqa: S605 - the shell's parent is this process
