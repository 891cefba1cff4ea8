"""Two streams that write the same readings: what waited on one way and came again on the other."""

import asyncio
import time
from datetime import UTC, datetime

import psycopg
import pytest

from firmware.smartbin import codec
from ingest.batch import Incoming
from ingest.decode import decode
from ingest.store import Store, Stored
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import change, reading

DEVICES, READINGS, ROUNDS = 20, 200, 5


def messages(round_number: int) -> list[Incoming]:
    """Give a message of many readings from each device."""
    made = []
    for device in range(DEVICES):
        topic = f"bins/v1/d-{device}/up/backlog"
        payload = codec.encode_readings(round_number, None, [reading(seq) for seq in range(READINGS)])
        decoded = decode(topic, payload, retain=False, now_ms=int(time.time() * 1000))
        made.append(Incoming(topic, payload, decoded))
    return made


@pytest.mark.anyio
async def test_streams_with_the_same_readings_do_not_wait_for_each_other(database: MigratedDatabase) -> None:
    change(database, "insert into devices (ref) select 'd-' || n from generate_series(0, 19) as n")
    results: list[Stored] = []

    async with (
        await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as one,
        await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as other,
    ):
        stores = Store(one), Store(other)
        for number in range(ROUNDS):
            batch = messages(number)
            orders = batch, batch[::-1]
            writing = (store.write(order, datetime.now(UTC)) for store, order in zip(stores, orders, strict=True))
            results += await asyncio.gather(*writing)

    assert sum(stored.readings for stored in results) == ROUNDS * DEVICES * READINGS
    assert sum(stored.duplicates for stored in results) == ROUNDS * DEVICES * READINGS
