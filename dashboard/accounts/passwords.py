"""Passwords are kept as Argon2id hashes only."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST = 1000
# 20 characters of 64: 120 bits.
GENERATED_BYTES = 15

_HASHER = PasswordHasher()


def generate_password() -> str:
    """Make a password nobody has to think up."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def hash_password(password: str) -> str:
    """Hash a password with Argon2id, in its own encoded form; takes some 30 ms on purpose."""
    return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Say whether the password is the one that was hashed.

    Args:
        password_hash: None for nobody's: then it takes as long as ever, and is wrong.
        password: as typed.
    """
    try:
        return _HASHER.verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return hash_password(secrets.token_urlsafe())
