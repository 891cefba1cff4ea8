"""The judge finds what it is there to find."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.device import RECORD_BYTES, Ledger, Row
from tests.chaos.stack import Stack
from tests.chaos.verdict import judge

ROW: Row = (0, 1_772_366_400, 640, 4, 9, 123, 3600, 1, 0)


@pytest.fixture
def store(stack: Stack) -> Callable[[str, int], None]:
    """Enrol a device and put a reading of it into the database, past the ingester."""

    def put(ref: str, distance_mm: int) -> None:
        stack.enrol(ref)
        query = """
insert into readings (
    device_id, epoch, seq, measured_at, distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
)
select id, 1, 0, to_timestamp(1772366400), %s, 4, 9, 12.3, 3600, 1, 0 from devices where ref = %s returning 1
"""
        stack.rows(query, distance_mm, ref)

    return put


def test_equal_rows_are_clean(stack: Stack, store: Callable[[str, int], None]) -> None:
    store("judged-equal", 640)

    assert judge(stack, {"judged-equal": [ROW]}, {}).clean


def test_other_value_is_altered(stack: Stack, store: Callable[[str, int], None]) -> None:
    store("judged-other", 641)

    verdict = judge(stack, {"judged-other": [ROW]}, {})

    assert (verdict.lost, verdict.altered) == (0, 1)


def test_missing_row_is_lost(stack: Stack, store: Callable[[str, int], None]) -> None:
    store("judged-lost", 640)

    verdict = judge(stack, {"judged-lost": [ROW, (1, *ROW[1:])]}, {})

    assert (verdict.lost, verdict.altered) == (1, 0)


def test_row_that_nobody_made_is_altered(stack: Stack, store: Callable[[str, int], None]) -> None:
    store("judged-unmade", 640)

    assert judge(stack, {"judged-unmade": []}, {}).altered == 1


def test_row_at_two_times_is_duplicated(stack: Stack, store: Callable[[str, int], None]) -> None:
    store("judged-twice", 640)
    query = """
insert into readings (device_id, epoch, seq, measured_at, distance_mm)
select device_id, epoch, seq, measured_at - interval '1 second', 640
from readings
join devices on devices.id = device_id
where ref = 'judged-twice'
returning 1
"""
    stack.rows(query)

    assert judge(stack, {"judged-twice": [ROW]}, {}).duplicated == 1


def test_ledger_outlives_a_power_cut_while_it_writes(tmp_path: Path) -> None:
    Ledger(tmp_path).record([ROW])
    Ledger(tmp_path).acknowledge(0, 0)
    for name in ("made", "acknowledged"):
        with (tmp_path / name).open("ab") as file:
            file.write(b"[1, 17723")

    Ledger(tmp_path).mend()
    Ledger(tmp_path).record([(1, *ROW[1:])])

    assert Ledger(tmp_path).rows() == [ROW, (1, *ROW[1:])]
    assert Ledger(tmp_path).acknowledged() == {0}
    assert (tmp_path / "made").stat().st_size == 2 * RECORD_BYTES
