"""Rules for many bins at once: how full, and how long unemptied, those of a depot, of a stream or of all may be."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import dict_row

from ingest.registry.audit import Change, difference, record_changes
from ingest.registry.groups import find_depot
from ingest.registry.queue import announce

# What a rule may say; null where it does not.
COLUMNS = ("threshold", "max_age_days")

_SELECT = """
select threshold, max_age_days from service_rules
where depot_id is not distinct from %(depot_id)s and stream is not distinct from %(stream)s
"""
_DELETE = """
delete from service_rules
where depot_id is not distinct from %(depot_id)s and stream is not distinct from %(stream)s
"""
_STORE = """
insert into service_rules (depot_id, stream, threshold, max_age_days)
values (%(depot_id)s, %(stream)s, %(threshold)s, %(max_age_days)s)
on conflict (depot_id, stream) do update set threshold = excluded.threshold, max_age_days = excluded.max_age_days
"""
# What counts where no rule says anything comes last.
_LIST = """
select depots.ref as depot, service_rules.stream, service_rules.threshold, service_rules.max_age_days
from service_rules
left join depots on depots.id = service_rules.depot_id
where depots.ref is not null or service_rules.stream is not null
union all
select null, null, coalesce(max(threshold), 0.8), coalesce(max(max_age_days), 7)
from service_rules
where depot_id is null and stream is null
order by depot nulls last, stream nulls last
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which bins a rule is for: those of a depot (its reference), of a stream, of both; with neither, all."""

    depot: str | None = None
    stream: str | None = None

    def __str__(self) -> str:
        words = [f"depot {self.depot}"] if self.depot else []
        words += [f"stream {self.stream}"] if self.stream else []
        return ", ".join(words) or "all bins"


def list_rules(connection: Connection) -> list[dict[str, object]]:
    """Give all rules, the most specific first, and what counts where none of them says anything."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST).fetchall()


def set_rule(connection: Connection, scope: Scope, values: Mapping[str, float], *, actor: str) -> bool:
    """Have a rule say something; what is not given stays. False when it said so already.

    Args:
        connection: of the caller's transaction.
        scope: which bins it is for.
        values: of some of `COLUMNS`.
        actor: for the audit log.

    Raises:
        RegistryError: there is no such depot.
    """
    return _store(connection, scope, "rule.set", values, actor)


def unset_rule(connection: Connection, scope: Scope, names: Collection[str], *, actor: str) -> bool:
    """Have a rule say nothing of these columns; what is less specific counts again. False when it said nothing.

    Raises:
        RegistryError: there is no such depot.
    """
    return _store(connection, scope, "rule.unset", dict.fromkeys(names), actor)


def _store(connection: Connection, scope: Scope, action: str, values: Mapping[str, float | None], actor: str) -> bool:
    connection.execute("lock table service_rules in share row exclusive mode")
    place = {"depot_id": find_depot(connection, scope.depot), "stream": scope.stream}
    with connection.cursor(row_factory=dict_row) as cursor:
        before = cursor.execute(_SELECT, place).fetchone() or dict.fromkeys(COLUMNS)
    after: dict[str, object] = {**before, **values}
    if before == after:
        return False
    says = any(value is not None for value in after.values())
    connection.execute(_STORE if says else _DELETE, {**place, **after})
    change = difference(action, str(scope), before, after)
    record_changes(connection, actor, [Change(action, str(scope), change.before, change.after)])
    announce(connection)
    return True
