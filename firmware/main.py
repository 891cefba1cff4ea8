"""Starts one wake of the device and sleeps until the next; the only file with side effects."""

import sys
import time

import ds18x20
import esp32
import machine
import network
import ntptime
import onewire
from smartbin import board

SLEEP_AFTER_ERROR_MS = 3600000
MODULES = board.Modules(
    machine=machine, network=network, esp32=esp32, ntptime=ntptime, onewire=onewire, ds18x20=ds18x20, time=time
)

try:
    sleep_ms = board.build(MODULES).run()
except Exception as error:  # whatever happens, a device that stays awake is dead in a day
    sys.print_exception(error)
    sleep_ms = SLEEP_AFTER_ERROR_MS
machine.deepsleep(sleep_ms)
