"""The ingester that everybody writes first: aiomqtt as it comes, one INSERT and one commit for each message."""

import asyncio
import os

import aiomqtt
import cbor2
import psycopg

from ingest.link import Link
from tests.bench.peers.rows import INSERT_ONE, device_ids
from tests.bench.settings import read_link

CLIENT = "brimwatch-readings"


async def main(link: Link) -> None:
    """Receive and insert until killed."""
    with psycopg.connect(autocommit=True) as connection:
        ids = device_ids(connection)
    async with (
        await psycopg.AsyncConnection.connect(autocommit=True) as database,
        aiomqtt.Client(
            link.host, link.port, identifier=CLIENT, clean_session=False, tls_context=link.context(CLIENT)
        ) as client,
    ):
        await client.subscribe("bins/v1/+/up/readings", qos=1)
        async for message in client.messages:
            _, epoch, _, rows = cbor2.loads(message.payload)
            device_id = ids[message.topic.value.split("/")[2]]
            for row in rows:
                await database.execute(INSERT_ONE, (device_id, epoch, *row))


if __name__ == "__main__":
    asyncio.run(main(read_link(os.environ)))
