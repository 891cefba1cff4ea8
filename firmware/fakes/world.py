"""Where a virtual device lives: the directory $SIM_DIR is its flash, its RTC memory and the world around it."""

import json
import os
import sys

DIRECTORY = os.getenv("SIM_DIR")
DEFAULTS = {
    "distance_mm": 1000,
    "noise_mm": 3,
    "temperature_c": 12.0,
    "battery_mv": 3900,
    "tilt_deg": 0,
    "link": True,
    "ntp": True,
    "sensor": "ok",
}


def path(name):
    """Give the path of a file of this device."""
    return DIRECTORY + "/" + name


def now(name):
    """Give a value of `world.json`, read anew each time; its default when the file or the name is missing."""
    return _read("world.json").get(name, DEFAULTS[name])


def load(name):
    """Read a JSON file of this device; an empty object when there is none."""
    return _read(name)


def save(name, value):
    """Write a JSON file of this device in one step, as real RTC memory and NVS are."""
    with open(path(name + ".new"), "w") as file:
        json.dump(value, file)
    os.rename(path(name + ".new"), path(name))


def enter():
    """Make the device's directory the root of its file system, as `/` is on the chip."""
    global DIRECTORY  # noqa: PLW0603 - the process is the device
    if not DIRECTORY:
        raise OSError("SIM_DIR is not set: it names the device's directory")
    here = os.getcwd()
    sys.path[:] = [_absolute(here, entry) for entry in sys.path]
    DIRECTORY = _absolute(here, DIRECTORY)
    os.chdir(DIRECTORY)


def _absolute(here, entry):
    return entry if entry.startswith("/") or entry == ".frozen" else here + "/" + entry


def _read(name):
    try:
        with open(path(name)) as file:
            return json.load(file)
    except OSError:
        return {}
