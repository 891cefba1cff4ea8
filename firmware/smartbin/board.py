"""Puts a device together from its settings and MicroPython's modules, which come in as arguments."""

import random

from .app import App
from .clock import Clock
from .config import Config
from .drivers.a02yyuw import A02YYUW
from .drivers.battery import Battery
from .drivers.ds18b20 import DS18B20
from .drivers.lis3dh import LIS3DH
from .link import WifiLink
from .measure import Bench
from .outbox import Outbox
from .permanent import Permanent
from .remote import Remote
from .spool import Spool

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from typing import Any


WATCHDOG_MS = 90000  # a TLS handshake does not feed it
_BAUD = 9600
_I2C_HZ = 100000
_RESET_CAUSES = (
    ("PWRON", "power_on"),
    ("HARD", "hard"),
    ("WDT", "watchdog"),
    ("DEEPSLEEP", "deepsleep"),
    ("SOFT", "soft"),
)


class Modules:
    """MicroPython's modules, so that nothing here imports hardware."""

    def __init__(
        self,
        *,
        machine: "Any",
        network: "Any",
        esp32: "Any",
        ntptime: "Any",
        onewire: "Any",
        ds18x20: "Any",
        time: "Any",
    ) -> None:
        self.machine = machine
        self.network = network
        self.esp32 = esp32
        self.ntptime = ntptime
        self.onewire = onewire
        self.ds18x20 = ds18x20
        self.time = time


def build(modules: Modules, directory: str = "") -> App:
    """Make the program.

    Args:
        modules: what MicroPython brings.
        directory: where settings, certificates and readings lie, ending in "/" or empty.

    Raises:
        ConfigError: `config.json` is missing or wrong.
    """
    machine, time = modules.machine, modules.time
    remote = Remote(directory, print)
    config = remote.config
    rtc = machine.RTC()
    clock = Clock(time, rtc)
    permanent = Permanent(modules.esp32.NVS("smartbin"))
    watchdog = machine.WDT(timeout=WATCHDOG_MS)
    return App(
        remote=remote,
        outbox=Outbox(rtc, permanent, Spool(directory + "spool"), clock),
        permanent=permanent,
        bench=_bench(config, modules),
        link=WifiLink(modules.network.WLAN(modules.network.STA_IF), modules.ntptime, time, config, directory),
        clock=clock,
        time=time,
        roll=random.random,
        log=print,
        feed=watchdog.feed,
        reset_cause=_reset_cause(machine),
    )


def _bench(config: Config, modules: Modules) -> Bench:
    machine, time = modules.machine, modules.time
    uart = machine.UART(2, baudrate=_BAUD, tx=config.uart_tx_pin, rx=config.uart_rx_pin)
    power = machine.Pin(config.sensor_power_pin, machine.Pin.OUT, value=0)
    adc = machine.ADC(machine.Pin(config.battery_pin), atten=machine.ADC.ATTN_11DB)
    temperature = tilt = None
    if config.temperature_pin >= 0:
        bus = modules.ds18x20.DS18X20(modules.onewire.OneWire(machine.Pin(config.temperature_pin)))
        temperature = DS18B20(bus, time)
    if config.tilt_sda_pin >= 0 and config.tilt_scl_pin >= 0:
        pins = machine.Pin(config.tilt_scl_pin), machine.Pin(config.tilt_sda_pin)
        tilt = LIS3DH(machine.I2C(0, scl=pins[0], sda=pins[1], freq=_I2C_HZ), time)
    return Bench(A02YYUW(uart, power, time), Battery(adc, config.battery_divider), temperature, tilt)


def _reset_cause(machine: "Any") -> str:
    cause = machine.reset_cause()
    for constant, name in _RESET_CAUSES:
        if cause == getattr(machine, constant + "_RESET", None):
            return name
    return "power_on"
