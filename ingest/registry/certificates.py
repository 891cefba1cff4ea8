"""Our own certificate authority: it vouches for the broker, for the ingester's connections and for each device.

All keys are P-256: MicroPython's mbedTLS and an ESP32 handle them in a fraction of a second.
"""

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ingest.registry.errors import RegistryError
from ingest.registry.identity import Identity, load_identity, save_identity

# The ingester's own connections; also the names that no device may bear.
CLIENTS = ("brimwatch-readings", "brimwatch-backlog", "brimwatch-send")
# LoRaWAN network servers that publish what their devices sent (docs/lorawan.md).
NETWORK_SERVERS = ("brimwatch-chirpstack", "brimwatch-ttn")
RESERVED_PREFIX = "brimwatch-"

AUTHORITY_LIFE = timedelta(days=3653)
SERVER_LIFE = timedelta(days=825)
CLIENT_LIFE = timedelta(days=3650)
# A device whose clock is a little behind must not find its certificate not valid yet.
BACKDATED = timedelta(days=1)

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*")


def init_authority(folder: Path, hosts: Sequence[str], now: datetime) -> list[str]:
    """Make whatever is missing of the authority and of the certificates of broker, ingester and network servers.

    What exists and is still good stays. The broker's certificate is issued anew when it lacks one of `hosts`; the names
    that it had are kept.

    Args:
        folder: where the PEM files are, or will be.
        hosts: DNS names and IP addresses that devices reach the broker by.
        now: aware.

    Returns:
        The names of the files written, without `.pem` and `.key`.

    Raises:
        RegistryError: the folder or a file in it is not usable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as error:
        raise RegistryError(f"Cannot make the folder {folder}: {error.strerror}.") from error
    written = []
    authority = load_identity(folder, "ca")
    if authority is None:
        _refuse_half(folder)
        authority = _issue_authority(now)
        save_identity(folder, "ca", authority)
        written.append("ca")
    if _renew_server(folder, authority, hosts, now):
        written.append("server")
    written += [name for name in (*CLIENTS, *NETWORK_SERVERS) if _renew_client(folder, name, authority, now)]
    return written


def load_authority(folder: Path) -> Identity:
    """Read the authority that `certificates init` made.

    Raises:
        RegistryError: there is none, or its key cannot be read.
    """
    authority = load_identity(folder, "ca")
    if authority is None:
        raise RegistryError(f"There is no certificate authority in {folder}: run `certificates init` first.")
    return authority


def server_host(folder: Path) -> str:
    """Give the first name that the broker's certificate bears.

    Raises:
        RegistryError: there is no such certificate.
    """
    server = load_identity(folder, "server")
    names = [] if server is None else _hosts_of(server.certificate)
    if not names:
        raise RegistryError(f"{folder} has no broker certificate to take its name from: give --mqtt-host.")
    return str(names[0].value)


def issue_client(authority: Identity, name: str, now: datetime) -> Identity:
    """Issue a certificate for an MQTT client with this common name."""
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    return _issue_leaf(authority, name, purpose=usage, alternatives=None, expires_at=now + CLIENT_LIFE, now=now)


def _refuse_half(folder: Path) -> None:
    """Never replace an authority that devices in the field trust."""
    for present, missing in (("ca.pem", "ca.key"), ("ca.key", "ca.pem")):
        if (folder / present).exists():
            raise RegistryError(
                f"{folder / present} is there but {missing} is not: put it back, or name another folder."
            )


def _renew_server(folder: Path, authority: Identity, hosts: Sequence[str], now: datetime) -> bool:
    present = load_identity(folder, "server")
    names = [] if present is None else _hosts_of(present.certificate)
    wanted = list(dict.fromkeys([*names, *(_general_name(host) for host in hosts)]))
    if present is not None and wanted == names and present.usable_at(now) and present.signed_by(authority):
        return False
    if not wanted:
        raise RegistryError("Name at least one host that devices reach the broker by: `--host NAME`.")
    common_name = str(wanted[0].value)[:64]
    alternatives = x509.SubjectAlternativeName(wanted)
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    expires_at = min(now + SERVER_LIFE, authority.certificate.not_valid_after_utc)
    issued = _issue_leaf(
        authority, common_name, purpose=usage, alternatives=alternatives, expires_at=expires_at, now=now
    )
    save_identity(folder, "server", issued)
    return True


def _renew_client(folder: Path, name: str, authority: Identity, now: datetime) -> bool:
    present = load_identity(folder, name)
    if present is not None and present.usable_at(now) and present.signed_by(authority):
        return False
    save_identity(folder, name, issue_client(authority, name, now))
    return True


def _hosts_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        name = host.encode("idna").decode("ascii")
    except ValueError:
        name = ""
    # Sensors compare it with what they were told: a scheme or a port in it would keep them out.
    if not _HOST.fullmatch(name):
        raise RegistryError(f"{host!r} is neither a host name nor an IP address.")
    return x509.DNSName(name)


def _issue_authority(now: datetime) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Brimwatch device authority")
    # Names alone must differ between installations: mbedTLS finds an issuer by its subject.
    name = x509.Name([*name, x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{x509.random_serial_number():x}"[:16])])
    usage = _key_usage(signs_certificates=True)
    builder = _builder(name, name, key.public_key(), now, now + AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return Identity(builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256()), key)


def _issue_leaf(
    authority: Identity,
    common_name: str,
    *,
    purpose: x509.ObjectIdentifier,
    alternatives: x509.SubjectAlternativeName | None,
    expires_at: datetime,
    now: datetime,
) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    expires_at = min(expires_at, issuer.not_valid_after_utc)
    builder = _builder(_name(common_name), issuer.subject, key.public_key(), now, expires_at)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return Identity(builder.add_extension(identifier, critical=False).sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, expires_at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before((now - BACKDATED).astimezone(UTC))
        .not_valid_after(expires_at.astimezone(UTC))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
