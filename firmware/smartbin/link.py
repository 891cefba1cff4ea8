"""The way to the broker: Wi-Fi, time, and TLS with the device's own certificate."""

import gc
import socket

import tls

from . import clock as clock_module
from .clock import Deadline
from .config import Config
from .mqtt import Client

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from typing import Protocol

    from hardware import Ntp, Time, Wlan

    class Closable(Protocol):  # noqa: D101
        def close(self) -> None: ...  # noqa: D102


_POLL_MS = 50
_ENETUNREACH = 101


class WifiLink:
    """Wi-Fi for one wake.

    Args:
        wlan: `network.WLAN(network.STA_IF)`.
        ntp: the module `ntptime`.
        time: the module `time`.
        config: the settings.
        directory: where `ca.der`, `device.der` and `device.key.der` lie, ending in "/" or empty.
    """

    def __init__(self, wlan: "Wlan", ntp: "Ntp", time: "Time", config: Config, directory: str = "") -> None:
        self._wlan = wlan
        self._ntp = ntp
        self._time = time
        self._config = config
        self._directory = directory
        self._open: "list[Closable]" = []

    def up(self, deadline: Deadline) -> None:
        """Join the network.

        Raises:
            OSError: not before the deadline.
        """
        self._wlan.active(True)  # noqa: FBT003 - MicroPython takes it by place
        if not self._wlan.isconnected():
            if self._config.wifi_ssid:
                self._wlan.connect(self._config.wifi_ssid, self._config.wifi_psk)
            else:
                self._wlan.connect()
        while not self._wlan.isconnected():
            deadline.left_ms()
            self._time.sleep_ms(_POLL_MS)

    def true_time(self) -> "int | None":
        """Ask the time server for Unix seconds; None when it is silent or says nonsense. Nobody signs this answer."""
        self._ntp.host = self._config.ntp_host
        try:
            unix_s = self._ntp.time() + (clock_module.YEAR_2000 if self._time.gmtime(0)[0] == 2000 else 0)  # noqa: PLR2004
        except (OSError, IndexError, ValueError):
            return None
        return unix_s if clock_module.is_plausible(unix_s) else None

    def open(self, deadline: Deadline) -> Client:
        """Connect to the broker; both sides prove who they are.

        Raises:
            OSError: no connection before the deadline, or the broker refused our certificate.
            ValueError: the broker's certificate is not to be trusted: authority, name or dates.
        """
        raw = self._connect(deadline)
        self._open.append(raw)
        raw.settimeout(deadline.left_s())
        gc.collect()  # mbedTLS wants 40 KB in one piece
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED
        context.load_verify_locations(self._file("ca.der"))
        context.load_cert_chain(self._file("device.der"), self._file("device.key.der"))
        stream = context.wrap_socket(raw, server_hostname=self._config.mqtt_host)
        self._open.append(stream)
        return Client(raw, stream, deadline)

    def rssi_dbm(self) -> "int | None":
        """Give the signal's strength in dBm; None when the radio does not say."""
        try:
            return int(self._wlan.status("rssi"))
        except (OSError, ValueError, TypeError):
            return None

    def down(self) -> None:
        """Close all, and switch the radio off."""
        while self._open:
            try:
                self._open.pop().close()
            except OSError:
                continue  # the other side was faster
        self._wlan.active(False)  # noqa: FBT003

    def _connect(self, deadline: Deadline) -> "socket.socket":
        failure = OSError(_ENETUNREACH)
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._config.mqtt_host, self._config.mqtt_port, 0, socket.SOCK_STREAM
        ):
            raw = socket.socket(family, kind, protocol)
            raw.settimeout(deadline.left_s())
            try:
                raw.connect(address)
            except OSError as error:
                raw.close()
                failure = error
            else:
                return raw
        raise failure

    def _file(self, name: str) -> bytes:
        with open(self._directory + name, "rb") as file:
            data: bytes = file.read()
            return data
