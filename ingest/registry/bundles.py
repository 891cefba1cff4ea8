"""The bundle that a device is given: its key, its certificate, whom it trusts and where the broker is."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ingest.registry.certificates import issue_client
from ingest.registry.errors import RegistryError
from ingest.registry.identity import Identity, certificate_pem, key_der, key_pem, load_pair
from ingest.registry.secret_files import write_public, write_secret


@dataclass(frozen=True, slots=True)
class Broker:
    """Where devices reach the broker: a name or address that its certificate bears, and a TCP port."""

    host: str
    port: int


def make_bundle(folder: Path, device: str, authority: Identity, broker: Broker, now: datetime) -> tuple[Identity, bool]:
    """Write what is missing of a device's bundle.

    The folder gets ca.der, device.der, device.key.der (for the device), the same as .pem, and config.json. A key and
    certificate that are still good stay.

    Args:
        folder: of this device alone.
        device: its reference, which becomes the certificate's common name.
        authority: that signs.
        broker: goes into config.json.
        now: aware.

    Returns:
        The device's identity, and whether it was issued now.

    Raises:
        RegistryError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RegistryError(f"Cannot make the folder {folder}: {error.strerror}.") from error
    present = _present(folder, device, authority, now)
    identity = present or issue_client(authority, device, now)
    if present is None:
        write_secret(folder / "device.key.pem", key_pem(identity))
        write_public(folder / "device.pem", certificate_pem(identity))
    _complete(folder, device, identity, authority, broker)
    return identity, present is None


def _present(folder: Path, device: str, authority: Identity, now: datetime) -> Identity | None:
    try:
        identity = load_pair(folder / "device.pem", folder / "device.key.pem")
    except RegistryError:
        # Half written or damaged: a new one replaces it.
        return None
    if identity is None or not (identity.usable_at(now) and identity.signed_by(authority)):
        return None
    names = identity.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return identity if [name.value for name in names] == [device] else None


def _complete(folder: Path, device: str, identity: Identity, authority: Identity, broker: Broker) -> None:
    config = {"device": device, "mqtt_host": broker.host, "mqtt_port": broker.port}
    public = {
        "ca.pem": certificate_pem(authority),
        "ca.der": authority.certificate.public_bytes(Encoding.DER),
        "device.der": identity.certificate.public_bytes(Encoding.DER),
        "config.json": json.dumps(config, indent=2).encode() + b"\n",
    }
    for name, content in public.items():
        if not _holds(folder / name, content):
            write_public(folder / name, content)
    if not _holds(folder / "device.key.der", key_der(identity)):
        write_secret(folder / "device.key.der", key_der(identity))


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
