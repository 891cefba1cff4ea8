"""Holds the readings of each fitting against its calibration, about once a day: for the assess runner.

What differs is proposed (`bin_proposals`); people decide with `python -m ingest calibration` or on the bin's page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from psycopg import Connection
from psycopg.rows import class_row

from ingest.assess.levels.calibration import Proposal, is_same, propose
from ingest.assess.levels.readings import Geometry
from ingest.assess.store.history import Part, load_fittings

# A bin that is emptied once a week has enough emptyings in so many days.
LOOKED_AT = timedelta(days=84)
EVERY = timedelta(days=1)
# So many fittings at a time: a fraction of a second. A runner that is never idle does so once a minute, which comes to
# more than 10,000 a day.
AT_ONCE = 10
# When nothing is to be done, how long until it is asked for again: the question goes through all fittings.
REST = timedelta(minutes=1)

_NEXT = """
select
    fittings.id as fitting_id, fittings.bin_id, fittings.empty_mm as known_empty_mm, fittings.full_mm as known_full_mm,
    checks.dismissed_empty_mm
from fittings
left join calibration_checks as checks on checks.fitting_id = fittings.id
where fittings.removed_at is null and (checks.checked_at is null or checks.checked_at <= %s) and checks.answer is null
order by checks.checked_at nulls first, fittings.id
limit %s
"""
_COLUMNS = (
    "known_empty_mm",
    "known_full_mm",
    "empty_mm",
    "full_mm",
    "empty_low_mm",
    "empty_high_mm",
    "emptyings",
    "sureness",
    "reason",
)
# What somebody said meanwhile counts: the row is left as it is, and its turn comes when that is done.
_WRITE = """
insert into calibration_checks as checks (
    fitting_id, checked_at, known_empty_mm, known_full_mm, empty_mm, full_mm, empty_low_mm, empty_high_mm, emptyings,
    sureness, reason
)
values (
    %(fitting_id)s, %(checked_at)s, %(known_empty_mm)s, %(known_full_mm)s, %(empty_mm)s, %(full_mm)s,
    %(empty_low_mm)s, %(empty_high_mm)s, %(emptyings)s, %(sureness)s, %(reason)s
)
on conflict (fitting_id) do update set
    checked_at = excluded.checked_at, known_empty_mm = excluded.known_empty_mm, known_full_mm = excluded.known_full_mm,
    empty_mm = excluded.empty_mm, full_mm = excluded.full_mm, empty_low_mm = excluded.empty_low_mm,
    empty_high_mm = excluded.empty_high_mm, emptyings = excluded.emptyings, sureness = excluded.sureness,
    reason = excluded.reason
where checks.answer is null and checks.dismissed_empty_mm is not distinct from %(dismissed_empty_mm)s
"""


class ProposalKeeper:
    """Looks at some of the fittings whose turn it is, whenever the runner has time.

    Args:
        connection: of the ingester.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rests_until: datetime | None = None

    def check(self, now: datetime) -> int:
        """Look at AT_ONCE fittings at most at `now` (aware); gives how many, 0 when it is nobody's turn."""
        if self._rests_until is not None and now < self._rests_until:
            return 0
        checked = check_calibrations(self._connection, now)
        self._rests_until = None if checked else now + REST
        return checked


def check_calibrations(connection: Connection, now: datetime) -> int:
    """Look at AT_ONCE fittings at most that were not looked at for a day, or never; gives how many.

    Args:
        connection: of the ingester.
        now: aware; readings of LOOKED_AT before it count.
    """
    with connection.cursor(row_factory=class_row(_Fitting)) as cursor:
        fittings = cursor.execute(_NEXT, (now - EVERY, AT_ONCE)).fetchall()
    parts = load_fittings(connection, {one.bin_id: now - LOOKED_AT for one in fittings}) if fittings else {}
    _write(connection, fittings, {one.fitting_id: _proposal(one, parts.get(one.fitting_id)) for one in fittings}, now)
    return len(fittings)


@dataclass(frozen=True, slots=True)
class _Fitting:
    fitting_id: int
    bin_id: int
    known_empty_mm: int
    known_full_mm: int
    dismissed_empty_mm: int | None


def _proposal(fitting: _Fitting, part: Part | None) -> Proposal | None:
    if part is None:
        return None
    geometry = Geometry(float(fitting.known_empty_mm), float(fitting.known_full_mm))
    try:
        proposal = propose(part.series, geometry)
    except (ArithmeticError, ValueError):
        # One sensor must never keep the others waiting.
        log = structlog.get_logger("assess")
        log.exception("a calibration could not be checked", fitting_id=fitting.fitting_id)
        return None
    depth_mm = fitting.known_empty_mm - fitting.known_full_mm
    dismissed_mm = fitting.dismissed_empty_mm
    if proposal is None or (dismissed_mm is not None and is_same(proposal.empty_mm, dismissed_mm, depth_mm)):
        return None
    return proposal


def _write(
    connection: Connection, fittings: Sequence[_Fitting], proposals: Mapping[int, Proposal | None], now: datetime
) -> None:
    nothing: dict[str, object] = dict.fromkeys(_COLUMNS)
    rows = []
    for fitting in fittings:
        proposal = proposals[fitting.fitting_id]
        known = {"fitting_id": fitting.fitting_id, "dismissed_empty_mm": fitting.dismissed_empty_mm, "checked_at": now}
        found = nothing if proposal is None else {**asdict(fitting), **asdict(proposal)}
        rows.append({**found, **known})
    with connection.cursor() as cursor, connection.transaction():
        cursor.executemany(_WRITE, rows)
