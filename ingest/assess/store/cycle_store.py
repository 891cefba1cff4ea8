"""The cycles in the database: loaded when the assess runner starts, and revised by it."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from psycopg import Connection

from ingest.assess.forecasts.cycles import EMPTIED, GAP, MARKS, Cycles
from ingest.assess.memory.archive import MOST
from ingest.binary import copy_in, gather, moments, row_kind

# The newest of each bin that stands.
_LOAD = """
select newest.*
from bins
cross join lateral (
    select bin_id, began_at, ended_at, after_emptying, ended_by_gap, level_first, level_last, passed_s
    from cycles
    where cycles.bin_id = bins.id
    order by cycles.began_at desc
    limit %(most)s
) as newest
where bins.removed_at is null and (%(bin_ids)s::int[] is null or bins.id = any(%(bin_ids)s::int[]))
"""
_COLUMNS = [
    ("bin_id", ">i4"),
    ("began_at", ">i8"),
    ("ended_at", ">i8"),
    ("after_emptying", ">i1"),
    ("ended_by_gap", ">i1"),
    ("level_first", ">f4"),
    ("level_last", ">f4"),
    ("passed_s", f"{MARKS}>f4"),
]
_ROW = row_kind(_COLUMNS)
_FORGET = """
delete from cycles
using unnest(%s::int[], %s::timestamptz[]) as revised (bin_id, since)
where cycles.bin_id = revised.bin_id and cycles.began_at >= revised.since
"""


def load_cycles(connection: Connection, bin_ids: list[int] | None = None) -> Cycles:
    """Load the newest cycles of bins that stand, all of them by default; `bin` is the bin's id."""
    columns = dict(_COLUMNS) | {"passed_s": ">f4"}
    rows = gather(connection, _LOAD, columns, {"most": MOST, "bin_ids": bin_ids})
    cycles = Cycles(
        bin=rows["bin_id"].astype(np.int64),
        began_at=moments(rows["began_at"]),
        ended_at=moments(rows["ended_at"]),
        passed_s=rows["passed_s"].astype(np.float32).reshape(-1, MARKS),
        level_first=rows["level_first"].astype(np.float32),
        level_last=rows["level_last"].astype(np.float32),
        after_emptying=rows["after_emptying"].astype(np.bool_),
        ended_by=np.where(rows["ended_by_gap"], GAP, EMPTIED).astype(np.int8),
    )
    return cycles[np.lexsort((cycles.ended_at, cycles.bin))]


def revise_cycles(connection: Connection, since: Mapping[int, datetime], cycles: Cycles) -> None:
    """Replace the cycles of bins from a time on.

    Args:
        connection: whose transaction this joins.
        since: by bin id; aware.
        cycles: of these bins, those that began then or later and have ended; `bin` is the bin's id.
    """
    connection.execute(_FORGET, (list(since), list(since.values())))
    if len(cycles):
        columns = {
            "bin_id": cycles.bin,
            "began_at": cycles.began_at,
            "ended_at": cycles.ended_at,
            "after_emptying": cycles.after_emptying,
            "ended_by_gap": cycles.ended_by == GAP,
            "level_first": cycles.level_first,
            "level_last": cycles.level_last,
            "passed_s": cycles.passed_s,
        }
        copy_in(connection, "cycles", columns, _ROW)
