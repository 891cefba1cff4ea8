"""The settings of one device: a flat JSON object, every field with its range. Pure but for reading the file.

A bundle made by `python -m ingest devices enrol` names `device`, `mqtt_host` and `mqtt_port`; the rest has defaults.
"""

import json

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LONGEST_DEVICE = 64

# name, default (None: required), lowest, highest; for text the bounds are those of its length
FIELDS: "tuple[tuple[str, str | int | None, int, int], ...]" = (
    ("mqtt_host", None, 1, 253),  # as in the broker's certificate
    ("mqtt_port", 8883, 1, 65535),
    ("wifi_ssid", "", 0, 32),  # empty: the network that the board remembers
    ("wifi_psk", "", 0, 63),
    ("ntp_host", "pool.ntp.org", 1, 253),
    ("measure_interval_s", 3600, 300, 86400),  # from wake to wake
    ("report_interval_s", 21600, 300, 604800),  # from report to report; not shorter than measure_interval_s
    ("link_budget_s", 15, 5, 60),  # the radio's time in one wake; then the device sleeps, come what may
    ("ack_timeout_s", 8, 1, 30),  # for the server to store one message; shorter than link_budget_s
    ("sample_count", 7, 3, 15),  # echoes for one reading
    ("nearest_mm", 30, 0, 1000),  # the sensor's blind zone
    ("farthest_mm", 4500, 100, 10000),
    ("full_mm", 0, 0, 4500),  # report at once at this distance or less; 0: never
    ("jump_mm", 300, 50, 4500),  # report at once when the level leaps by this
    ("alarm_temperature_c", 60, 40, 120),
    ("alarm_tilt_deg", 45, 10, 180),
    ("lid_open_deg", 25, 5, 180),  # a tilt from which the lid counts as open
    ("uart_tx_pin", 17, 0, 48),
    ("uart_rx_pin", 16, 0, 48),
    ("sensor_power_pin", 25, 0, 48),
    ("battery_pin", 34, 32, 39),  # ADC1: ADC2 fails while Wi-Fi is on
    ("battery_divider", 2, 1, 10),
    ("temperature_pin", 4, -1, 48),  # a DS18B20; -1: there is none
    ("tilt_sda_pin", 21, -1, 48),  # a LIS3DH; -1: there is none
    ("tilt_scl_pin", 22, -1, 48),
    ("config_version", 0, 0, 2147483647),
)


class ConfigError(Exception):
    """Raised when a setting is missing, of the wrong type or out of its range; names the field and the range."""


class Config:
    """Settings as attributes, see `FIELDS`."""

    device: str
    mqtt_host: str
    mqtt_port: int
    wifi_ssid: str
    wifi_psk: str
    ntp_host: str
    measure_interval_s: int
    report_interval_s: int
    link_budget_s: int
    ack_timeout_s: int
    sample_count: int
    nearest_mm: int
    farthest_mm: int
    full_mm: int
    jump_mm: int
    alarm_temperature_c: int
    alarm_tilt_deg: int
    lid_open_deg: int
    uart_tx_pin: int
    uart_rx_pin: int
    sensor_power_pin: int
    battery_pin: int
    battery_divider: int
    temperature_pin: int
    tilt_sda_pin: int
    tilt_scl_pin: int
    config_version: int

    def __init__(self, fields: "dict[str, object]") -> None:
        self.device = _device(fields.get("device"))
        for name, default, lowest, highest in FIELDS:
            value = fields.get(name, default)
            setattr(
                self,
                name,
                _text(name, value, lowest, highest) if _is_text(name) else _number(name, value, lowest, highest),
            )
        if self.report_interval_s < self.measure_interval_s:
            raise ConfigError("report_interval_s: must not be shorter than measure_interval_s")
        if self.ack_timeout_s >= self.link_budget_s:
            raise ConfigError("ack_timeout_s: must be shorter than link_budget_s")
        if self.nearest_mm >= self.farthest_mm:
            raise ConfigError("nearest_mm: must be less than farthest_mm")


def read(path: str) -> "dict[str, object]":
    """Read the fields of a file as they stand there, for `Config` to judge.

    Raises:
        ConfigError: the file is missing or is no JSON object.
    """
    try:
        with open(path) as file:
            fields = json.load(file)
    except (OSError, ValueError):
        raise ConfigError(path + ": missing or not JSON") from None
    if not isinstance(fields, dict):
        raise ConfigError(path + ": not a JSON object")
    return fields


def _is_text(name: str) -> bool:
    return name in ("mqtt_host", "wifi_ssid", "wifi_psk", "ntp_host")


def _text(name: str, value: object, shortest: int, longest: int) -> str:
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise ConfigError("%s: must be text of %d to %d characters" % (name, shortest, longest))
    return value


def _number(name: str, value: object, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ConfigError("%s: must be a whole number from %d to %d" % (name, lowest, highest))
    return value


def _device(value: object) -> str:
    if (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_DEVICE
        and value[0] in _LETTERS
        and all(letter in _LETTERS or letter in "._-" for letter in value)
    ):
        return value
    raise ConfigError("device: must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit")
