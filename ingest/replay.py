"""Tries refused messages again, after what they were refused for was put right; what can be stored leaves `rejects`."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from ingest.batch import Incoming
from ingest.database import connect, lost
from ingest.decode import decode
from ingest.errors import DatabaseLostError, IngestError
from ingest.store import Store, Stored

# With when they arrived in truth, never later than now.
CANDIDATES = """
select id, received_at, least(received_at + %(clock_behind)s, greatest(received_at, now()))
from rejects
where (%(reason)s::text is null or reason = %(reason)s) and (%(ids)s::bigint[] is null or id = any(%(ids)s))
order by received_at, id
"""

# Whoever deletes it has it: of two that replay at once, one finds it gone.
TAKE = "delete from rejects where id = %s and received_at = %s returning topic, device, reason, detail, payload"

AUDIT = "insert into audit_log (actor, action, subject, before, after) values (%s, 'reject.replay', %s, %s, %s)"


@dataclass(slots=True)
class Replayed:
    """What became of the refused messages that were tried again.

    Attributes:
        left: that are no longer among the rejects.
        readings: that were stored from them.
        kept: those that stay, by the reason that they are refused for now.
    """

    left: int = 0
    readings: int = 0
    kept: Counter[str] = field(default_factory=Counter)


async def replay(
    reason: str | None, ids: Collection[int], actor: str, *, clock_behind: timedelta = timedelta()
) -> Replayed:
    """Decode and store refused messages again, as if they arrived when they did, under today's rules and registry.

    One transaction for each: it is stored and leaves the rejects, or nothing changes. Where only some readings of a
    message can be stored, the others become rejects of their own.

    Args:
        reason: only what was refused for it; None for all.
        ids: only these; empty for all.
        actor: who does it, for the audit log.
        clock_behind: how far our own clock was behind when they arrived.

    Raises:
        DatabaseLostError: the database does not answer; what was replayed until then stays so.
        IngestError: there is none with one of these numbers.
    """
    result = Replayed()
    try:
        async with await connect("rejects") as connection:
            wanted = {"reason": reason, "ids": list(ids) or None, "clock_behind": clock_behind}
            found = await (await connection.execute(CANDIDATES, wanted)).fetchall()
            missing = set(ids) - {reject_id for reject_id, *_ in found}
            if missing:
                numbers = ", ".join(str(reject_id) for reject_id in sorted(missing))
                raise IngestError(f"There is no refused message {numbers}{f' with reason {reason}' if reason else ''}.")
            store = Store(connection)
            for reject in found:
                await _replay_one(connection, store, reject, actor, result)
    except (psycopg.Error, DatabaseLostError) as error:
        raise DatabaseLostError(f"{lost(error) if isinstance(error, psycopg.Error) else error}.") from error
    return result


async def _replay_one(
    connection: AsyncConnection,
    store: Store,
    reject: tuple[int, datetime, datetime],
    actor: str,
    result: Replayed,
) -> None:
    reject_id, received_at, arrived_at = reject
    async with connection.transaction() as transaction:
        taken = await (await connection.execute(TAKE, (reject_id, received_at))).fetchone()
        if taken is None:
            return
        topic, device, reason, detail, payload = taken
        stored = await store.write([_read(topic, payload, reason, arrived_at)], arrived_at)
        if stored.rejects and not stored.readings:
            result.kept.update(stored.reasons)
            raise psycopg.Rollback(transaction)
        before = {"id": reject_id, "topic": topic, "reason": reason, "detail": detail, "received_at": str(received_at)}
        await connection.execute(AUDIT, (actor, device or topic, Jsonb(before), Jsonb(_after(stored, arrived_at))))
    if stored.readings or not stored.rejects:
        result.left += 1
        result.readings += stored.readings


def _read(topic: str, payload: bytes, reason: str, arrived_at: datetime) -> Incoming:
    # As of its arrival: a clock that was ahead then must not be believed because time has passed.
    now_ms = int(arrived_at.timestamp() * 1000)
    decoded = decode(topic, payload, retain=reason == "retained", now_ms=now_ms)
    # What it promised then, and the battery of an old status, are no news.
    decoded.next_report_s = decoded.battery_mv = None
    return Incoming(topic, payload, decoded)


def _after(stored: Stored, arrived_at: datetime) -> dict[str, object]:
    return {
        "stored": stored.readings,
        "stored_before": stored.duplicates,
        "refused": dict(stored.reasons),
        "received_at": str(arrived_at),
    }
