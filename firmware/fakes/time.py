"""Fake of the ESP32's `time`: counts from 2000 in whole seconds, and starts there after a power cut."""

import utime
import world
from utime import *  # noqa: F403

_YEAR_2000 = 946684800


def time():
    """Give the seconds since 2000 that the chip's clock shows."""
    clock = world.load("clock.json")
    if "offset_s" not in clock:
        clock = {"offset_s": _YEAR_2000 - int(utime.time())}
        world.save("clock.json", clock)
    return int(utime.time()) + clock["offset_s"] - _YEAR_2000


def gmtime(secs=None):
    """Split seconds since 2000 into year, month, day, hour, minute, second, weekday, yearday."""
    return utime.gmtime((time() if secs is None else secs) + _YEAR_2000)


localtime = gmtime


def mktime(parts):
    """Turn the parts of `gmtime` into seconds since 2000."""
    return int(utime.mktime(parts)) - _YEAR_2000
