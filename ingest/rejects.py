"""Shows what was refused, and why, for `python -m ingest rejects`."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.database import lost
from ingest.errors import DatabaseLostError, IngestError

LONGEST_SHOWN = 80


def print_rejects(limit: int) -> None:
    """Print the newest refused messages as a table.

    Raises:
        DatabaseLostError: the database does not answer.
    """
    query = """
select id, received_at, topic, reason, detail, payload from rejects order by received_at desc, id desc limit %s
"""
    with _connection() as connection:
        rows = connection.execute(query, (limit,)).fetchall()
    table = Table("id", "received at", "topic", "reason", "detail", "payload")
    for reject_id, received_at, topic, reason, detail, payload in rows:
        shown = Text(_shorten(show_payload(payload)))
        table.add_row(str(reject_id), f"{received_at:%Y-%m-%d %H:%M:%S %Z}", Text(topic), reason, Text(detail), shown)
    Console().print(table)


def print_reject(reject_id: int) -> None:
    """Print one refused message whole.

    Raises:
        DatabaseLostError: the database does not answer.
        IngestError: there is none with this number.
    """
    query = "select received_at, topic, device, reason, detail, payload from rejects where id = %s"
    with _connection() as connection:
        row = connection.execute(query, (reject_id,)).fetchone()
    if row is None:
        raise IngestError(f"There is no refused message with the number {reject_id}.")
    received_at, topic, device, reason, detail, payload = row
    console = Console()
    for name, value in (
        ("received at", received_at.isoformat()),
        ("topic", topic),
        ("device", device or "-"),
        ("reason", reason),
        ("detail", detail),
        ("payload", show_payload(payload)),
    ):
        console.print(Text(f"{name}: {value}"), soft_wrap=True)


def show_payload(payload: bytes) -> str:
    """Give a payload as its text when it is printable, else as "hex:...": never what a terminal would obey."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return f"hex:{payload.hex()}"
    plain = text.replace("\n", " ").replace("\t", " ")
    return plain if plain.isprintable() else f"hex:{payload.hex()}"


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


@contextmanager
def _connection() -> Iterator[Connection]:
    try:
        with psycopg.connect(connect_timeout=5, application_name="brimwatch rejects") as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except psycopg.Error as error:
        raise DatabaseLostError(f"{lost(error)}.") from error
