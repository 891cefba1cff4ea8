"""What is known of bins does not depend on how their readings come in."""

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.assess.decisions.due import Rules
from ingest.assess.forecasts.cycles import reported
from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.readings import instant
from ingest.assess.levels.sensor import Sensor
from ingest.assess.memory.entry import Entry
from ingest.assess.memory.news import News
from ingest.assess.memory.ragged import Rows
from ingest.assess.memory.tail import readings
from ingest.assess.memory.watch import Watch
from tests.unit.assess.bins import DAY, HOUR, NOW

HOURS = 240


LONDON = ZoneInfo("Europe/London")


def entry(threshold: float = 0.8, **other: object) -> Entry:
    sensor = Sensor(NOW - 300 * DAY, 3600, NOW)
    return Entry(Rules(threshold), sensor, horizon=NOW + 26 * HOUR, **other)  # type: ignore[arg-type]


def watch(*bin_ids: int) -> Watch:
    one = Watch(LONDON)
    one.enrol(dict.fromkeys(bin_ids, entry()))
    return one


def history(bin_id: int, seed: int, hours: int = HOURS, **columns: object) -> Rows:
    """Hourly readings of a bin that is emptied now and then, the last of them now; some have no echo."""
    random = np.random.default_rng(seed)
    gains, emptied = random.gamma(0.8, 0.03, hours), random.random(hours) < 1 / random.integers(20, 90)
    levels, level = np.zeros(hours), 0.0
    for hour in range(hours):
        level = 0.0 if emptied[hour] else min(level + gains[hour], 1.0)
        levels[hour] = level
    distances = np.round(1200 - 1000 * levels + random.normal(0, 4, hours))
    distances[random.random(hours) < 0.02] = np.nan

    at = instant(NOW) - np.arange(hours)[::-1] * np.timedelta64(1, "h")
    return readings(np.full(hours, bin_id), at, empty_mm=1200, full_mm=200, distance_mm=distances, **columns)  # type: ignore[arg-type]


class Record:
    """Emptyings and cycles as whoever writes them down has them."""

    def __init__(self) -> None:
        self.emptyings: dict[tuple[int, np.datetime64], Emptying] = {}
        self.cycles: dict[tuple[int, np.datetime64], tuple[object, ...]] = {}

    def revise(self, news: News) -> None:
        """Write down what is new."""
        for bin_id, revision in news.revisions.items():
            for known in (self.emptyings, self.cycles):
                for key in [key for key in known if key[0] == bin_id and not key[1] < revision.since]:
                    del known[key]  # type: ignore[attr-defined]
            self.emptyings.update(((bin_id, one.emptied_at), one) for one in revision.emptyings)
        cycles = news.ended_cycles()
        for place, bin_id in enumerate(cycles.bin.tolist()):
            row = (cycles.ended_at[place], cycles.ended_by[place], cycles.passed_s[place].tobytes())
            self.cycles[bin_id, cycles.began_at[place]] = row


def feed(one: Watch, record: Record, known: Rows, more: Rows) -> Rows:
    """Take readings; what comes too late is given again with all that is known of its bin."""
    known = np.concatenate([known, more])
    late = one.take(more)
    if late:
        rows = known[np.isin(known["bin_id"], list(late))]
        one.renew(dict.fromkeys(late), rows)
    record.revise(one.learn())
    return known


def at_once(rows: Rows) -> tuple[Watch, Record]:
    one, record = watch(1, 2, 3), Record()
    feed(one, record, rows[:0], rows)
    return one, record


@settings(max_examples=25, deadline=None)
@example(1048, 3, "in order")
@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from(["shuffled", "blocks", "in order"]))
def test_order_and_split_of_readings_change_nothing(seed: int, parts: int, order: str) -> None:
    rows = np.concatenate([history(bin_id, 3 * seed + bin_id) for bin_id in (1, 2, 3)])
    random = np.random.default_rng(seed)
    whole, record = at_once(rows)
    places = {
        "shuffled": random.permutation(len(rows)),
        "blocks": np.concatenate(random.permutation(np.arange(len(rows)).reshape(-1, 24))),
        "in order": np.argsort(rows["measured_at"], kind="stable"),
    }[order]

    split, split_record, known = watch(1, 2, 3), Record(), rows[:0]
    for part in np.array_split(rows[places], parts):
        known = feed(split, split_record, known, part)

    assert split.look(NOW) == whole.look(NOW)
    assert split_record.emptyings == record.emptyings != {}
    assert split_record.cycles == record.cycles


def steady(bin_id: int, hours: int = 200) -> Rows:
    """Hourly readings of a bin that is emptied every 50 hours, the last of them now."""
    at = instant(NOW) - np.arange(hours)[::-1] * np.timedelta64(1, "h")
    levels = np.arange(hours) % 50 / 50
    return readings(np.full(hours, bin_id), at, empty_mm=1200, full_mm=200, distance_mm=1200 - 1000 * levels)


def test_what_comes_too_late_is_told_and_not_taken() -> None:
    rows = np.concatenate([steady(1), steady(2)])
    late = np.flatnonzero(rows["bin_id"] == 1)[20]
    one = watch(1, 2)
    one.take(np.delete(rows, late))
    before = one.look(NOW)

    told = one.take(rows[[late]])

    assert told == {1: rows["measured_at"][late]}
    assert one.look(NOW) == before


def test_memory_is_bounded_by_cycles_not_by_history() -> None:
    one, rows = watch(1), steady(1, hours=5000)
    for part in np.array_split(rows, 50):
        one.take(part)
        one.look(NOW)

    assert one.nbytes < 100 * rows.itemsize * 10


def test_new_threshold_counts_at_once() -> None:
    one = watch(1)
    one.take(steady(1, hours=190))
    assert one.findings(1).full_since is None

    one.enrol({1: entry(threshold=0.5)})

    assert one.look(NOW)[1].due.reason == "FULLNESS"


def test_emptying_that_a_crew_reported_counts_for_age() -> None:
    one = watch(1)
    one.report({1: NOW - 8 * DAY})

    assert one.look(NOW)[1].last_emptied_at == NOW - 8 * DAY


def test_report_that_the_sensor_contradicts_does_not_count() -> None:
    one = watch(1)
    one.take(steady(1, hours=194))
    known = one.look(NOW)[1]
    # Its readings have gone on rising through what the crew says.
    one.report({1: NOW - 8 * HOUR})

    [service] = one.learn().services[1]
    state = one.look(NOW)[1]

    assert (known.due.reason, service.outcome) == ("FULLNESS", "contradicted")
    assert state.last_emptied_at == known.last_emptied_at
    assert (state.due.reason, state.due.due_class) == (known.due.reason, known.due.due_class)
    assert "reported as emptied Sun 04:00, but its level did not fall" in state.due.explanation


def test_report_after_the_newest_reading_counts_until_readings_contradict_it() -> None:
    one, rows = watch(1), steady(1, hours=194)
    one.take(rows[:-8])
    one.report({1: NOW - 7.5 * HOUR})
    believed = one.look(NOW - 7 * HOUR)[1]

    for row in rows[-8:]:
        one.take(row[None])
        one.look(NOW)

    assert (believed.last_emptied_at, believed.due.reason) == (NOW - 7.5 * HOUR, "NOT_READY")
    assert one.look(NOW)[1].due.reason == "FULLNESS"


def test_report_of_what_the_sensor_saw_is_the_same_emptying() -> None:
    one = watch(1)
    one.take(steady(1, hours=170))
    seen = one.look(NOW)[1].last_emptied_at
    assert seen is not None

    one.report({1: seen + HOUR / 2})

    [service] = one.learn().services[1]
    assert (service.outcome, service.sources) == ("confirmed", ("sensor", "crew"))


def test_bin_whose_readings_are_not_here_keeps_its_past() -> None:
    one = Watch(LONDON)
    one.enrol({1: entry(threshold=0.5)})
    emptied_at = instant(NOW) - np.arange(3) * np.timedelta64(1, "D")
    one.remember(reported(np.ones(3, dtype=np.int64), emptied_at, np.full(3, 0.8)))

    assert one.learn().revisions == {}


def test_emptying_of_a_bin_that_stands_only_later_counts_then() -> None:
    one = Watch(LONDON)
    one.report({1: NOW - 8 * DAY})

    one.enrol({1: entry()})

    assert one.look(NOW)[1].last_emptied_at == NOW - 8 * DAY
