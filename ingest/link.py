"""Where the broker is, and the certificates that we show it."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import BrokerLostError, SettingsError


@dataclass(frozen=True, slots=True)
class Link:
    """A broker, and the folder with our certificates.

    Attributes:
        host: name or address, which the broker's certificate has to bear.
        port: of its TLS listener.
        certificates: folder with ca.pem and NAME.pem, NAME.key for each client name.
    """

    host: str
    port: int
    certificates: Path

    def require(self, names: tuple[str, ...]) -> None:
        """Make sure that the certificates of all clients are there.

        Raises:
            SettingsError: a file is missing.
        """
        files = ["ca.pem", *(f"{name}.{kind}" for name in names for kind in ("pem", "key"))]
        missing = [file for file in files if not (self.certificates / file).is_file()]
        if missing:
            raise SettingsError(
                f"The folder {self.certificates} of BRIMWATCH_CERTIFICATES has no {', '.join(missing)}: "
                "make them with `python -m ingest certificates init`."
            )

    def context(self, name: str) -> ssl.SSLContext:
        """Read the certificates of a client, as they are now.

        Raises:
            BrokerLostError: a file cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.certificates / "ca.pem")
            context.load_cert_chain(self.certificates / f"{name}.pem", self.certificates / f"{name}.key")
        except OSError as error:
            raise BrokerLostError(f"The certificates of {name} cannot be read: {error}") from error
        return context

    def lost(self, error: BaseException) -> BrokerLostError:
        """Say in one sentence that the broker is no use now, and why."""
        reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error)).rstrip(".") or "it ended the connection"
        return BrokerLostError(f"The broker at {self.host}:{self.port} does not answer ({reason})")
