"""Shows and deletes what was refused, for `python -m ingest rejects`; `replay` tries it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import Connection
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.database import lost
from ingest.errors import DatabaseLostError, IngestError
from ingest.registry.audit import Change, record_changes

LONGEST_SHOWN = 80


def print_rejects(limit: int, reason: str | None = None) -> None:
    """Print the newest refused messages as a table.

    Args:
        limit: at most so many.
        reason: only what was refused for it; None for all.

    Raises:
        DatabaseLostError: the database does not answer.
    """
    query = """
select id, received_at, topic, reason, detail, payload
from rejects
where %(reason)s::text is null or reason = %(reason)s
order by received_at desc, id desc
limit %(limit)s
"""
    with _connection() as connection:
        rows = connection.execute(query, {"reason": reason, "limit": limit}).fetchall()
    table = Table("id", "received at", "topic", "reason", "detail", "payload")
    for reject_id, received_at, topic, why, detail, payload in rows:
        shown = Text(_shorten(show_payload(payload)))
        table.add_row(str(reject_id), f"{received_at:%Y-%m-%d %H:%M:%S %Z}", Text(topic), why, Text(detail), shown)
    Console().print(table)


def print_counts() -> None:
    """Print how many were refused for each reason, the first and the last time.

    Raises:
        DatabaseLostError: the database does not answer.
    """
    query = """
select reason, count(*), min(received_at), max(received_at) from rejects group by reason order by count(*) desc, reason
"""
    with _connection() as connection:
        rows = connection.execute(query).fetchall()
    table = Table("reason", "count", "first", "last")
    for reason, count, first, last in rows:
        table.add_row(reason, str(count), f"{first:%Y-%m-%d %H:%M:%S %Z}", f"{last:%Y-%m-%d %H:%M:%S %Z}")
    Console().print(table)


def count_older(days: int, reason: str | None) -> tuple[int, datetime]:
    """Count what `purge` would delete.

    Args:
        days: older than these.
        reason: only what was refused for it; None for all.

    Returns:
        (how many, the moment before which they were refused).

    Raises:
        DatabaseLostError: the database does not answer.
    """
    until = datetime.now(UTC) - timedelta(days=days)
    query = """
select count(*) from rejects where received_at < %(until)s and (%(reason)s::text is null or reason = %(reason)s)
"""
    with _connection() as connection:
        rows = connection.execute(query, {"until": until, "reason": reason}).fetchall()
    return rows[0][0], until


def purge(before: datetime, reason: str | None, actor: str) -> int:
    """Delete what was refused before a moment; give how many that were.

    Args:
        before: that moment.
        reason: only what was refused for it; None for all.
        actor: who does it, for the audit log.

    Raises:
        DatabaseLostError: the database does not answer.
    """
    query = "delete from rejects where received_at < %(before)s and (%(reason)s::text is null or reason = %(reason)s)"
    with _connection() as connection:
        count = connection.execute(query, {"before": before, "reason": reason}).rowcount
        known = {"count": count, "refused_before": before.isoformat()}
        record_changes(connection, actor, [Change("rejects.purge", reason or "all", known, None)])
    return count


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
