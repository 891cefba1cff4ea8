"""From alerts that nobody was told of to letters in the outbox, in one transaction: marked and written, or neither."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from ingest.notify.budget import DIGEST_EVERY, share_out
from ingest.notify.letter import Notice, Writer
from ingest.notify.targets import Directory

# Any number that nothing else uses: two notifiers share one budget.
PLAN_LOCK = 4_202_604

# A fire is told of even when it is out by then.
_UNTOLD = """
select alerts.id, alerts.type, alerts.text, alerts.since, bins.ref, bins.name, bins.location, coalesce(depots.ref, '')
from alerts
join bins on bins.id = alerts.bin_id and bins.removed_at is null
left join depots on depots.id = bins.depot_id
where alerts.notified_at is null
    and alerts.acknowledged_at is null
    and (alerts.closed_at is null or (alerts.type = 'fire' and alerts.opened_at > %(now)s - interval '1 day'))
order by alerts.opened_at
"""
_UNANSWERED = """
select
    alerts.id, alerts.type, alerts.text, alerts.since, bins.ref, bins.name, bins.location, coalesce(depots.ref, ''),
    alerts.notified_at
from alerts
join bins on bins.id = alerts.bin_id and bins.removed_at is null
left join depots on depots.id = bins.depot_id
where alerts.notified_at is not null
    and alerts.escalated_at is null
    and alerts.acknowledged_at is null
    and alerts.closed_at is null
"""
_SENT_TODAY = """
select
    count(distinct alert_ids) filter (where kind = 'alert' and created_at >= %(midnight)s),
    max(created_at) filter (where kind = 'digest'),
    max(created_at) filter (where kind = 'escalation' and severity > 0)
from outbox
where depot = %(depot)s and created_at >= least(%(midnight)s, %(recent)s)
"""
_WRITE = """
insert into outbox (
    key, kind, alert_ids, depot, severity, target, subject, body, created_at, next_try_at
)
values (
    %(key)s, %(kind)s, %(alert_ids)s, %(depot)s, %(severity)s, %(target)s, %(subject)s, %(body)s, %(now)s,
    %(now)s
)
"""
_NOTIFIED = "update alerts set notified_at = %s where id = any(%s)"
_ESCALATED = "update alerts set escalated_at = %s where id = any(%s)"


@dataclass(frozen=True, slots=True)
class _Spent:
    """What a depot got lately: letters about single alerts today, and its last letters with many."""

    singles: int
    digest_at: datetime | None
    escalation_at: datetime | None


class Planner:
    """Decides who is told of which alert, and when.

    Args:
        connection: in autocommit mode.
        directory: who is told.
        writer: of the letters.
    """

    def __init__(self, connection: Connection, directory: Directory, writer: Writer) -> None:
        self._connection = connection
        self._directory = directory
        self._writer = writer

    def plan(self, now: datetime) -> int:
        """Put letters into the outbox for what nobody was told of, and for what nobody acknowledged.

        Args:
            now: aware.

        Returns:
            How many letters.
        """
        if not any(self._directory.all_targets()):
            return 0
        with self._connection.transaction():
            row = self._connection.execute("select pg_try_advisory_xact_lock(%s)", (PLAN_LOCK,)).fetchone()
            if row is None or not row[0]:
                return 0
            return self._tell(now) + self._escalate(now)

    def _tell(self, now: datetime) -> int:
        rows = self._connection.execute(_UNTOLD, {"now": now})
        count = 0
        for ref, notices in _by_depot([Notice(*row) for row in rows]).items():
            if not self._directory.targets(ref, "first"):
                continue
            spent = self._spent(ref, now)
            left = self._directory.depot(ref).budget_per_day - spent.singles
            singly, together = share_out(notices, left=left, last_digest_at=spent.digest_at, now=now)
            letters = [("alert", [notice]) for notice in singly] + ([("digest", together)] if together else [])
            for kind, told in letters:
                count += self._put(kind, ref, told, now)
            self._connection.execute(_NOTIFIED, (now, [one.id for _, told in letters for one in told]))
        return count

    def _escalate(self, now: datetime) -> int:
        unanswered = []
        for *columns, notified_at in self._connection.execute(_UNANSWERED):
            notice = Notice(*columns)
            depot = self._directory.depot(notice.depot)
            if depot.second and now - notified_at >= depot.patience(notice.type):
                unanswered.append(notice)
        count = 0
        for ref, notices in _by_depot(unanswered).items():
            last_at = self._spent(ref, now).escalation_at
            fires = [notice for notice in notices if notice.type == "fire"]
            others = [notice for notice in notices if notice.type != "fire"]
            if last_at is not None and now - last_at < DIGEST_EVERY:
                others = []
            for told in [*([fire] for fire in fires), *([others] if others else [])]:
                count += self._put("escalation", ref, told, now)
                self._connection.execute(_ESCALATED, (now, [one.id for one in told]))
        return count

    def _spent(self, depot: str, now: datetime) -> _Spent:
        midnight = now.astimezone(self._writer.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        given = {"depot": depot, "midnight": midnight, "recent": now - DIGEST_EVERY}
        row = self._connection.execute(_SENT_TODAY, given).fetchone()
        return _Spent(0, None, None) if row is None else _Spent(*row)

    def _put(self, kind: str, depot: str, notices: Sequence[Notice], now: datetime) -> int:
        unanswered = kind == "escalation"
        letter = self._writer.write(notices, unanswered=unanswered)
        targets = self._directory.targets(depot, "second" if unanswered else "first")
        ids = sorted(notice.id for notice in notices)
        shared = {
            "kind": kind,
            "alert_ids": ids,
            "depot": depot,
            "severity": min(notice.severity for notice in notices),
            "subject": letter.subject,
            "body": letter.body,
            "now": now,
        }
        with self._connection.cursor() as cursor:
            cursor.executemany(
                _WRITE,
                [
                    {
                        **shared,
                        # An alert is in one letter of a kind only.
                        "key": f"{kind}-{ids[0]}-{target.name.replace(' ', '-')}",
                        "target": target.name,
                    }
                    for target in targets
                ],
            )
        return len(targets)


def _by_depot(notices: Sequence[Notice]) -> dict[str, list[Notice]]:
    parted = defaultdict(list)
    for notice in notices:
        parted[notice.depot].append(notice)
    return dict(parted)
