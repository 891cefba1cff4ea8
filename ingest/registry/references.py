"""The references of bins, devices and depots: what people and certificates call them."""

import re

from ingest.registry.certificates import RESERVED_PREFIX
from ingest.registry.errors import RegistryError

_LEGAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DEV_EUI = re.compile(r"[0-9a-f]{16}")


def is_reference(text: str) -> bool:
    """Say whether it starts with a letter or digit and has up to 63 more of `A-Z a-z 0-9 . _ -`."""
    return _LEGAL.fullmatch(text) is not None


def require_device_reference(text: str) -> str:
    """Give back a reference that a device may bear.

    Raises:
        RegistryError: it is not legal, or reserved for the ingester's own connections.
    """
    if not is_reference(text):
        raise RegistryError(
            f"{text!r} cannot name a device: a letter or digit first, then up to 63 of A-Z a-z 0-9 . _ - are allowed."
        )
    if text.lower().startswith(RESERVED_PREFIX):
        raise RegistryError(f"{text!r} cannot name a device: names with {RESERVED_PREFIX} are Brimwatch's own.")
    return text


def require_dev_eui(text: str) -> str:
    """Give a DevEUI in small letters without the dashes, colons or spaces that labels have.

    Raises:
        RegistryError: it is not 16 hexadecimal digits.
    """
    dev_eui = re.sub(r"[-: ]", "", text).lower()
    if not _DEV_EUI.fullmatch(dev_eui):
        raise RegistryError(f"{text!r} is no DevEUI: 16 digits 0-9 and a-f, as they stand on a LoRaWAN device.")
    return dev_eui
