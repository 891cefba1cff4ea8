"""The registry's way to the database: one connection, one transaction, failures as sentences."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ingest.database import first_line
from ingest.errors import DatabaseLostError
from ingest.registry.errors import RegistryError


@contextmanager
def registry_transaction() -> Iterator[psycopg.Connection]:
    """Open the database that libpq's `PG*` names, and commit when the block ends without an error.

    Raises:
        DatabaseLostError: it does not answer, or stopped answering.
        RegistryError: it has not been migrated, or refuses us.
    """
    try:
        with psycopg.connect(connect_timeout=10, application_name="brimwatch registry") as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise DatabaseLostError(f"The database does not answer: {first_line(error)}.") from error
    except psycopg.errors.UndefinedTable as error:
        raise RegistryError(
            "The database lacks tables of this version: run `python -m ingest migrate` first."
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise RegistryError(f"The database role may not do this: {first_line(error)}.") from error


def actor() -> str:
    """Name who works on the command line, for the audit log."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container's user often has no name.
        name = str(os.getuid())
    return f"command line: {name}"
