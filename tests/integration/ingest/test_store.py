"""Two streams that write the same readings: what waited on one way and came again on the other."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import psycopg
import pytest

from firmware.smartbin import codec
from ingest.batch import Incoming
from ingest.decode import decode
from ingest.store import Store, Stored
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import NOW_S, change, reading, rows

DEVICES, READINGS, ROUNDS = 20, 200, 5


def message(device: int, epoch: int, seqs: Iterable[int]) -> Incoming:
    """Give a message of some readings."""
    return message_of(device, epoch, [reading(seq) for seq in seqs])


def message_of(device: int, epoch: int, rows: Sequence[Sequence[int | None]]) -> Incoming:
    """Give a message of readings as the contract has them."""
    topic = f"bins/v1/d-{device}/up/backlog"
    payload = codec.encode_readings(epoch, None, rows)
    return Incoming(topic, payload, decode(topic, payload, retain=False, now_ms=int(time.time() * 1000)))


def messages(round_number: int) -> list[Incoming]:
    """Give a message of many readings from each device."""
    return [message(device, round_number, range(READINGS)) for device in range(DEVICES)]


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


@pytest.mark.anyio
async def test_what_another_stream_stored_meanwhile_is_no_surprise(database: MigratedDatabase) -> None:
    change(database, "insert into devices (ref) values ('d-0')")
    async with (
        await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as one,
        await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as other,
    ):
        store, rival = Store(one), Store(other)
        await store.write([message(0, 1, [1])], datetime.now(UTC))
        await rival.write([message(0, 1, [2, 3])], datetime.now(UTC))

        both = await store.write([message(0, 1, [2]), message(0, 1, [3, 4])], datetime.now(UTC))
        next_ones = await store.write([message(0, 1, [5, 6])], datetime.now(UTC))

    assert (both.readings, both.duplicates) == (1, 2)
    assert (next_ones.readings, next_ones.duplicates) == (2, 0)
    assert rows(database, "select array_agg(seq order by seq) from readings") == [([1, 2, 3, 4, 5, 6],)]


@pytest.mark.anyio
async def test_other_values_are_refused_each_by_its_name_however_far_apart(database: MigratedDatabase) -> None:
    change(database, "insert into devices (ref) values ('d-0')")
    weeks = [NOW_S - week * 7 * 86_400 for week in range(1, 4)]

    def told(distance_mm: int) -> Incoming:
        seqs = enumerate(weeks, 10)
        return message_of(0, 1, [(seq, at, distance_mm + seq, 4, 9, 123, 3600, 1, 0) for seq, at in seqs])

    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        store = Store(connection)
        await store.write([told(600)], datetime.now(UTC))
        again = await store.write([told(700)], datetime.now(UTC))

    assert again.reasons == {"conflict": 3}
    assert (again.readings, again.duplicates) == (0, 0)
    assert [detail for (detail,) in rows(database, "select detail from rejects order by detail")] == [
        f"epoch 1, seq {seq}: distance_mm {700 + seq} instead of {600 + seq}" for seq in (10, 11, 12)
    ]
