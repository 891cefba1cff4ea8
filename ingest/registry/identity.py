"""A certificate with its private key, as files and as bytes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ingest.registry.errors import RegistryError
from ingest.registry.secret_files import write_public, write_secret

# A certificate is replaced when less than this is left.
RENEWED_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def usable_at(self, now: datetime) -> bool:
        """Say whether it is valid at `now` and for a month after."""
        return self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc - RENEWED_BEFORE

    def signed_by(self, authority: "Identity") -> bool:
        """Say whether this authority vouches for it."""
        try:
            self.certificate.verify_directly_issued_by(authority.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def load_identity(folder: Path, name: str) -> Identity | None:
    """Read NAME.pem and NAME.key; None unless both exist.

    Raises:
        RegistryError: one of them cannot be read, or they do not belong together.
    """
    return load_pair(folder / f"{name}.pem", folder / f"{name}.key")


def load_pair(certificate_file: Path, key_file: Path) -> Identity | None:
    """Read a certificate and its private key from PEM files; None unless both exist.

    Raises:
        RegistryError: one of them cannot be read, or they do not belong together.
    """
    if not (certificate_file.exists() and key_file.exists()):
        return None
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except OSError as error:
        raise RegistryError(f"Cannot read {error.filename}: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise RegistryError(f"{certificate_file} or {key_file} is damaged: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise RegistryError(f"{certificate_file} does not belong to {key_file}.")
    return Identity(certificate, key)


def save_identity(folder: Path, name: str, identity: Identity) -> None:
    """Write NAME.key, for its owner alone, and NAME.pem."""
    write_secret(folder / f"{name}.key", key_pem(identity))
    write_public(folder / f"{name}.pem", certificate_pem(identity))


def certificate_pem(identity: Identity) -> bytes:
    """Encode the certificate as PEM."""
    return identity.certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(identity: Identity) -> bytes:
    """Encode the private key as SEC 1 PEM, which MicroPython's mbedTLS reads as well as OpenSSL."""
    return _key_bytes(identity, serialization.Encoding.PEM)


def key_der(identity: Identity) -> bytes:
    """Encode the private key as SEC 1 DER."""
    return _key_bytes(identity, serialization.Encoding.DER)


def serial_of(identity: Identity) -> str:
    """Give the certificate's serial number, hexadecimal."""
    return f"{identity.certificate.serial_number:x}"


def _key_bytes(identity: Identity, encoding: serialization.Encoding) -> bytes:
    return identity.key.private_bytes(
        encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
