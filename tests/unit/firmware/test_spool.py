import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.smartbin import record
from firmware.smartbin.spool import SEGMENT_SLOTS, SLOT, Spool
from tests.unit.firmware.rows import row

START = (0, 0)


def slots(first: int, count: int, epoch: int = 3) -> list[tuple[int, bytes]]:
    return [(epoch, record.pack(row(seq))) for seq in range(first, first + count)]


def test_spool_gives_back_in_order(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"))
    spool.append(slots(0, 200))
    spool.append(slots(200, 5))

    first, place, _ = spool.read(START, 160)
    rest, _, torn = spool.read(place, 160)

    assert first + rest == slots(0, 205)
    assert torn == 0
    assert spool.waiting_count(place) == 45


def test_forget_frees_flash_and_numbers_never_come_back(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"))
    spool.append(slots(0, 10))
    _, place, _ = spool.read(START, 24)

    spool.forget(place)
    spool.append(slots(10, 2), place)

    assert spool.read(place, 24)[0] == slots(10, 2)
    assert spool.waiting_count(place) == 2


def test_full_spool_drops_the_oldest_and_says_how_many(tmp_path: Path) -> None:
    limit = 3 * SEGMENT_SLOTS * SLOT
    spool = Spool(str(tmp_path / "spool"), limit)

    dropped = sum(spool.append(slots(first, 10)) for first in range(0, 1000, 10))

    kept, _, _ = spool.read(START, 1000)
    assert kept == slots(dropped, 1000 - dropped)
    assert sum(path.stat().st_size for path in tmp_path.glob("spool/*")) <= limit


def test_torn_tail_costs_only_itself(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"))
    spool.append(slots(0, 3))
    (segment,) = tmp_path.glob("spool/*")
    segment.write_bytes(segment.read_bytes()[:-5])

    spool.append(slots(3, 2))

    read, _, torn = spool.read(START, 24)
    assert read == slots(0, 2) + slots(3, 2)
    assert torn == 1


@settings(max_examples=200)
@given(st.integers(0, 30 * SLOT - 1), st.integers(1, 255))
def test_flipped_byte_costs_only_its_own_reading(place: int, flip: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(folder + "/spool")
        spool.append(slots(0, 30))
        (segment,) = Path(folder).glob("spool/*")
        data = bytearray(segment.read_bytes())
        data[place] ^= flip
        segment.write_bytes(data)

        read, _, torn = spool.read(START, 100)

    assert read == [slot for number, slot in enumerate(slots(0, 30)) if number != place // SLOT]
    assert torn == 1


@given(st.integers(0, 30 * SLOT - 1))
def test_truncated_file_gives_the_whole_slots_before_the_cut(length: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(folder + "/spool")
        spool.append(slots(0, 30))
        (segment,) = Path(folder).glob("spool/*")
        segment.write_bytes(segment.read_bytes()[:length])

        assert spool.read(START, 100)[0] == slots(0, length // SLOT)
