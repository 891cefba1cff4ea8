"""mq-bridge (Rust) receives and acknowledges after the commit; decoding and writing are as fast as we know how."""

import os
import time
from datetime import UTC, datetime

import mq_bridge  # type: ignore[import-not-found]
import psycopg

from ingest.batch import Row, reading_columns
from ingest.columns import register_columns
from ingest.decode_cbor import decode_readings
from ingest.link import Link
from ingest.statements import INSERT_NEW
from tests.bench.flow import ref
from tests.bench.peers.rows import device_ids
from tests.bench.settings import read_link

CLIENT = "brimwatch-readings"
BATCH = 10_000
WINDOW = 20_000


def main(link: Link) -> None:
    """Receive and insert until killed."""
    consumer = mq_bridge.Consumer.from_config({"mqtt": _settings(link)})
    with psycopg.connect(autocommit=True) as connection:
        register_columns(connection)
        ids = device_ids(connection)
        while True:
            messages = consumer.poll(max=BATCH, timeout_ms=1000)
            if messages:
                connection.execute(
                    INSERT_NEW, {**reading_columns(_rows(messages, ids)), "received_at": datetime.now(UTC)}
                )
                consumer.commit()


def _rows(messages: list[mq_bridge.Message], ids: dict[str, int]) -> list[Row]:
    now_ms = int(time.time() * 1000)
    # It does not hand over the topic: the bench's devices bear their number as epoch, too.
    return [
        Row(ids[ref(reading.epoch)], reading, message)
        for message in messages
        for reading in decode_readings(message.payload, now_ms).readings
    ]


def _settings(link: Link) -> dict[str, object]:
    certificates = link.certificates
    return {
        "url": f"mqtts://{link.host}:{link.port}",
        "topic": "bins/v1/+/up/readings",
        "client_id": CLIENT,
        "protocol": "v5",
        "qos": 1,
        "clean_session": False,
        "session_expiry_interval": 86_400,
        "max_inflight": WINDOW,
        "queue_capacity": WINDOW,
        # The name reads the other way round: true would acknowledge on arrival.
        "delayed_ack": False,
        "tls": {
            "required": True,
            "ca_file": str(certificates / "ca.pem"),
            "cert_file": str(certificates / f"{CLIENT}.pem"),
            "key_file": str(certificates / f"{CLIENT}.key"),
        },
    }


if __name__ == "__main__":
    main(read_link(os.environ))
