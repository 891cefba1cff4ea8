"""The configuration that came over the air: a file of its own, laid over `config.json`, which is never written to.

Whatever the file holds, the device starts: one that is damaged or does not fit is as if it were not there.
"""

import binascii
import json
import os

from . import codec, config
from .config import Config, ConfigError

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from typing import Callable

# Nothing that could cut the device off: no network, no pins, no budgets.
SETTINGS = (
    "measure_interval_s",
    "report_interval_s",
    "sample_count",
    "nearest_mm",
    "farthest_mm",
    "full_mm",
    "jump_mm",
    "alarm_temperature_c",
    "alarm_tilt_deg",
    "lid_open_deg",
)
LONGEST_REFUSAL = 200  # characters
_LARGEST_FILE = 1024  # bytes; all settings at their longest take a third of it
_ENOENT, _ENOSPC = 2, 28


class Remote:
    """What the server may change, and `config`: the settings in force in this wake.

    Args:
        directory: where `config.json` lies, ending in "/" or empty.
        log: takes a line of text.

    Raises:
        ConfigError: `config.json` is missing or wrong.
    """

    def __init__(self, directory: str, log: "Callable[[str], None]") -> None:
        self._path = directory + "remote.json"
        self._log = log
        self._provisioned = config.read(directory + "config.json")
        self.config = Config(self._provisioned)
        self.refused = ""  # why the last configuration that came was refused, until somebody has told
        try:
            self.config = self._kept() or self.config
        except Exception as error:  # whatever it is, a device that does not start is lost
            self._log("remote.json: %r" % (error,))
        self._version = self.config.config_version  # in force from the next wake on

    def take(self, payload: bytes) -> None:
        """Judge a configuration that came, and keep it for the next wake, or say in `refused` why not."""
        self.refused = ""
        try:
            version, settings = codec.decode_config(payload)
        except (ValueError, MemoryError) as error:
            self._refuse("%s" % (error,))
            return
        if version == self._version:
            return
        try:
            self._laid_over(version, settings)
            self._keep(version, settings)
        except (ConfigError, OSError, MemoryError) as error:
            self._refuse("version %d: %s" % (version, error))
        else:
            self._version = version
            self._log("config: version %d from the next wake on" % version)

    def _refuse(self, why: str) -> None:
        self.refused = why[:LONGEST_REFUSAL]
        self._log("config refused: " + self.refused)

    def _laid_over(self, version: int, settings: "dict[str, int]") -> Config:
        for name in settings:
            if name not in SETTINGS:
                raise ConfigError("%r: cannot be set over the air" % (name,))
        fields = dict(self._provisioned)
        fields.update(settings)
        fields["config_version"] = version
        return Config(fields)

    def _kept(self) -> "Config | None":
        try:
            with open(self._path, "rb") as file:
                kept = json.loads(file.read(_LARGEST_FILE))
        except OSError as error:
            if error.errno == _ENOENT:
                return None
            raise
        version, settings = kept["config_version"], kept["settings"]
        if kept["checksum"] != self._checksum(version, settings):
            raise ValueError("damaged, or of another device")
        return self._laid_over(version, settings)

    def _keep(self, version: int, settings: "dict[str, int]") -> None:
        kept = {"config_version": version, "settings": settings, "checksum": self._checksum(version, settings)}
        data = json.dumps(kept).encode()
        # LittleFS commits when the file is closed, and a rename replaces the old file in one step.
        with open(self._path + ".new", "wb") as file:
            if file.write(data) != len(data):
                raise OSError(_ENOSPC)
        os.rename(self._path + ".new", self._path)
        sync = getattr(os, "sync", None)
        if sync:
            sync()

    def _checksum(self, version: int, settings: "dict[str, int]") -> int:
        # With the device's name: a board that becomes another device must not keep what was meant for the first.
        return int(binascii.crc32(repr((self.config.device, version, sorted(settings.items()))).encode()))
