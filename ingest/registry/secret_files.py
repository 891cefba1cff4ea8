"""Files written whole or not at all; nobody but its owner can read a private key, not even for a moment."""

import os
import secrets
from pathlib import Path

from ingest.registry.errors import RegistryError


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read (mode 0600).

    Raises:
        RegistryError: the file cannot be written.
    """
    _write(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Write a file that everybody may read (mode 0644).

    Raises:
        RegistryError: the file cannot be written.
    """
    _write(path, content, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RegistryError(f"Cannot write {path}: {error.strerror}.") from error
