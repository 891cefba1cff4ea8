import pytest

from simulator.device import by_age
from simulator.ledger import Ledger
from simulator.sensor import Row

BEFORE = 1_772_000_000


def row(seq: int) -> Row:
    return (seq, BEFORE + 3600 * (seq + 1), 640, 12, 7, 114, 3900, 2, 0)


def ledger(*seqs: int, epoch: int = 0) -> Ledger:
    made = Ledger(BEFORE)
    made.record(epoch, [row(seq) for seq in seqs])
    return made


def waiting(made: Ledger) -> list[tuple[int, int | None]]:
    return [(epoch, each[0]) for epoch, rows in made.messages() for each in rows]


def test_acknowledge_forgets_only_what_the_ranges_name() -> None:
    made = ledger(1, 2, 3, 4, 5)

    made.acknowledge([(0, 2, 3), (0, 5, 9)])

    assert waiting(made) == [(0, 1), (0, 4)]


def test_acknowledge_of_another_epoch_forgets_nothing() -> None:
    made = ledger(1, 2)

    made.acknowledge([(1, 1, 2)])

    assert len(made) == 2


def test_acknowledge_twice_does_no_harm() -> None:
    made = ledger(1, 2)

    made.acknowledge([(0, 1, 1)])
    made.acknowledge([(0, 1, 1)])

    assert waiting(made) == [(0, 2)]


def test_record_again_keeps_the_first_reading() -> None:
    made = ledger(1)

    made.record(0, [(1, BEFORE + 7200, 111, 1, 1, 1, 1, 1, 0)])

    assert made.messages() == [(0, [row(1)])]


def test_record_without_a_time_is_refused() -> None:
    with pytest.raises(ValueError, match="measured_at"):
        ledger().record(0, [(1, None, 640)])


def test_messages_are_oldest_first_and_hold_one_epoch_each() -> None:
    made = ledger(*range(5), epoch=1)
    made.record(0, [row(8), row(7)])

    sizes = [(epoch, [each[0] for each in rows]) for epoch, rows in made.messages(longest=3)]

    assert sizes == [(0, [7, 8]), (1, [0, 1, 2]), (1, [3, 4])]


def test_messages_never_exceed_the_contract() -> None:
    made = ledger(*range(672))

    assert [len(rows) for _, rows in made.messages()] == [200, 200, 200, 72]


def test_settled_until_stops_before_the_oldest_that_waits() -> None:
    made = ledger(1, 2, 3)

    made.acknowledge([(0, 1, 1), (0, 3, 3)])

    assert made.settled_until == BEFORE + 3600 * 3 - 1


def test_settled_until_reaches_the_newest_when_nothing_waits() -> None:
    made = ledger(1, 2)

    made.acknowledge([(0, 1, 2)])

    assert made.settled_until == BEFORE + 3600 * 3


def test_settled_until_of_an_empty_ledger_is_where_it_began() -> None:
    assert ledger().settled_until == BEFORE


def test_by_age_keeps_history_off_the_topic_of_fresh_readings() -> None:
    rows = [row(seq) for seq in range(4)]
    now = BEFORE + 3600 * 4 + 1

    assert by_age(rows, now) == {"up/backlog": rows[:3], "up/readings": rows[3:]}
