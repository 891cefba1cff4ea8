"""What a reading takes on disk, in both editions of TimescaleDB: the same readings in each."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import psycopg

from simulator.city import make_city
from simulator.history import History
from simulator.measured import Slots
from simulator.sensor import Row, Sensors, to_rows
from tests.bench.backlog import enrol_devices
from tests.bench.drain import count
from tests.bench.flow import ref
from tests.bench.part import Found, Tell
from tests.bench.readings import Past, device_ids, write_readings
from tests.bench.stage import open_stage
from tests.community.server import community_conninfo, open_community

DEVICES = 200
HOURS = 28 * 24
FIRST_HOUR = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) // 3600
SEED = 1
COMPRESS = "select count(compress_chunk(chunk)) from show_chunks('readings') as chunk"


def measure(rounds: int, tell: Tell) -> Found:  # noqa: ARG001 - the same readings take the same room each time
    """Write 28 days of hourly readings of 200 bins of the invented town, and weigh the table with its indexes."""
    turns = _make_turns()
    with open_stage() as stage:
        apache = _bytes_each(stage.conninfo, turns)
        tell(f"{apache:.1f} bytes on the Apache edition")
        with open_community(stage.folder / "community.log") as env:
            community = _bytes_each(community_conninfo(env), turns)
            tell(f"{community:.1f} bytes on the Community edition")
            with psycopg.connect(community_conninfo(env), autocommit=True) as connection:
                connection.execute(COMPRESS)
                compressed = _weigh(connection)
    figures = {
        "db.bytes_per_reading": apache,
        "db.bytes_per_reading_community": community,
        "db.bytes_per_reading_compressed": compressed,
    }
    return Found(figures, {})


def _make_turns() -> list[list[Row]]:
    """Measure all bins hour by hour; seq counts from 0."""
    city = make_city(DEVICES, SEED)
    slots = Slots("storage", np.arange(FIRST_HOUR, FIRST_HOUR + HOURS), 3600)
    at_s = slots.measured_at(DEVICES)
    levels = History(city, FIRST_HOUR, HOURS + 1).levels(np.tile(np.arange(DEVICES), HOURS), at_s.ravel())
    measured = Sensors(city).measure(slots, levels.reshape(at_s.shape))
    measured[:, :, 0] -= FIRST_HOUR
    return [to_rows(turn) for turn in measured]


def _bytes_each(conninfo: str, turns: list[list[Row]]) -> float:
    """Write all readings in the order in which they come, and weigh them."""
    enrol_devices(conninfo, DEVICES)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        write_readings(connection, _past(device_ids(connection), turns))
        return _weigh(connection)


def _past(ids: dict[str, int], turns: list[list[Row]]) -> Iterator[Past]:
    for turn in turns:
        for device, row in enumerate(turn):
            yield ids[ref(device)], 1, row


def _weigh(connection: psycopg.Connection) -> float:
    if count(connection) != DEVICES * HOURS:
        raise AssertionError(f"{count(connection)} of {DEVICES * HOURS} readings are there")
    row = connection.execute("select hypertable_size('readings')").fetchone()
    assert row
    return float(row[0]) / (DEVICES * HOURS)
