"""Fake of the ESP32's `esp32`: the key-value flash, with its limits."""

import binascii

import world

_LONGEST_KEY = 15
_NOT_FOUND = -4354  # ESP_ERR_NVS_NOT_FOUND
_I32 = 1 << 31


class NVS:
    """A namespace; nothing is kept before `commit`."""

    def __init__(self, namespace):
        self._name = _key(namespace)
        self._values = world.load("nvs.json").get(namespace, {})

    def get_i32(self, key):
        """Give a number."""
        return self._get(key, int)

    def set_i32(self, key, value):
        """Set a number of 32 bits."""
        if not -_I32 <= value < _I32:
            raise OverflowError("overflow converting long int to machine word")
        self._values[_key(key)] = int(value)

    def get_blob(self, key, buffer):
        """Read bytes into a buffer and say how many there are."""
        data = binascii.unhexlify(self._get(key, str))
        if len(data) > len(buffer):
            raise OSError(-4364)  # ESP_ERR_NVS_INVALID_LENGTH
        buffer[: len(data)] = data
        return len(data)

    def set_blob(self, key, value):
        """Set bytes."""
        self._values[_key(key)] = str(binascii.hexlify(value), "ascii")

    def erase_key(self, key):
        """Forget a value."""
        self._get(key, object)
        del self._values[key]

    def commit(self):
        """Keep what was set."""
        everything = world.load("nvs.json")
        everything[self._name] = self._values
        world.save("nvs.json", everything)

    def _get(self, key, kind):
        value = self._values.get(_key(key))
        if value is None or not isinstance(value, kind):
            raise OSError(_NOT_FOUND)
        return value


def _key(key):
    if not 0 < len(key) <= _LONGEST_KEY:
        raise OSError(-4361)  # ESP_ERR_NVS_KEY_TOO_LONG
    return key
