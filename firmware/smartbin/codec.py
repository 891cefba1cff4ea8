"""Version 1 of the messages in `docs/contract.md`: what the device says, and how it reads what the server sends."""

from . import cbor

VERSION = 1
ROW_FIELDS = (
    "seq",
    "measured_at",
    "distance_mm",
    "spread_mm",
    "valid_count",
    "temperature_c",
    "battery_mv",
    "tilt_deg",
    "flags",
)
ACK_FIELDS = 3  # of the acknowledgement, and of each of its ranges
CONFIG_FIELDS = 3  # of the configuration
LARGEST_CONFIG = 1024  # bytes
HIGHEST_CONFIG_VERSION = 2147483647
LID_OPEN = 1  # bit 0 of a row's flags
TIME_ESTIMATED = 2  # bit 1: the clock was set only after the measurement


def topic(device: str, name: str) -> str:
    """Name a topic of this device: `up/readings`, `up/backlog`, `up/status`, `down/ack` or `down/config`."""
    return "bins/v1/" + device + "/" + name


def encode_readings(epoch: int, next_report_s: "int | None", rows: "list[tuple[int | None, ...]]") -> bytes:
    """Encode readings of one epoch.

    Args:
        epoch: raised whenever the device lost count of `seq`.
        next_report_s: seconds until the device promises to report again, or None.
        rows: one tuple for each reading, its places as in `ROW_FIELDS`; `temperature_c` in tenths of a degree.

    Raises:
        ValueError: a value is neither an integer nor None.
    """
    return cbor.encode((VERSION, epoch, next_report_s, rows))


def encode_status(status: "dict[str, object]") -> bytes:
    """Encode what the device says of itself; fields that are None are left out."""
    return cbor.encode({name: value for name, value in status.items() if value is not None})


def decode_ack(payload: bytes) -> "tuple[int, list[tuple[int, int, int]]]":
    """Read an acknowledgement; places that a later server adds are passed over.

    Returns:
        The server's clock in Unix seconds, and ranges of (epoch, first seq, last seq), both ends included.

    Raises:
        ValueError: not an acknowledgement of this version. The device must forget nothing then.
    """
    message = cbor.decode(payload)
    if not isinstance(message, list) or len(message) < ACK_FIELDS:
        raise ValueError("acknowledgement: not an array of three")
    version, server_time, ranges = message[:ACK_FIELDS]
    if version != VERSION or version is True:
        raise ValueError("acknowledgement: unknown version")
    if not _is_count(server_time) or not isinstance(ranges, list):
        raise ValueError("acknowledgement: wrong type")
    return server_time, [_range(item) for item in ranges]


def decode_config(payload: bytes) -> "tuple[int, dict[str, int]]":
    """Read a configuration; places that a later server adds are passed over, and settings are not judged here.

    Returns:
        `config_version`, 1..2147483647, and the settings by name.

    Raises:
        ValueError: not a configuration of this version, in words that name its `config_version` where it has one.
    """
    if len(payload) > LARGEST_CONFIG:
        raise ValueError("configuration: more than %d bytes" % LARGEST_CONFIG)
    message = cbor.decode(payload)
    if not isinstance(message, list) or len(message) < CONFIG_FIELDS:
        raise ValueError("configuration: not an array of three")
    version, config_version, settings = message[:CONFIG_FIELDS]
    if version != VERSION or not _is_count(version):
        raise ValueError("configuration: unknown version")
    if not _is_count(config_version) or not 1 <= config_version <= HIGHEST_CONFIG_VERSION:
        raise ValueError("configuration: config_version is not from 1 to %d" % HIGHEST_CONFIG_VERSION)
    if not isinstance(settings, dict) or not all(isinstance(name, str) for name in settings):
        raise ValueError("version %d: the settings are not a map of names" % config_version)
    for name, value in settings.items():
        if not _is_integer(value):
            raise ValueError("version %d: %r: not a whole number" % (config_version, name))
    return config_version, settings


def _range(item: object) -> "tuple[int, int, int]":
    if (
        not isinstance(item, list)
        or len(item) < ACK_FIELDS
        or not all(_is_count(number) for number in item[:ACK_FIELDS])
    ):
        raise ValueError("acknowledgement: a range is not three numbers")
    epoch, first_seq, last_seq = item[:ACK_FIELDS]
    if first_seq > last_seq:
        raise ValueError("acknowledgement: a range runs backwards")
    return epoch, first_seq, last_seq


def _is_count(value: object) -> bool:
    return isinstance(value, int) and _is_integer(value) and value >= 0


def _is_integer(value: object) -> bool:
    # True and False are integers to Python, never to the contract.
    return isinstance(value, int) and not isinstance(value, bool)
