"""What the ingester says of itself to whoever runs it."""

import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from firmware.smartbin import codec
from simulator.stack.broker import Broker
from simulator.stack.database import Database
from simulator.stack.given import GivenDatabase
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import NOW_S, ROOT, Ingester, Peer, change, enrol, reading, rows, stored, until


def test_metrics_say_what_became_of_messages(ingester: Ingester, peer: Peer) -> None:
    message = codec.encode_readings(1, None, [reading(1), reading(2)])

    peer.publish(message)
    until(lambda: ingester.figure("acknowledgements_sent_total") == 1, "the first is acknowledged")
    peer.publish("nonsense")
    peer.publish(message)
    until(lambda: ingester.figure("acknowledgements_sent_total") == 2, "the second is acknowledged")

    client = {"client": "brimwatch-readings"}
    assert ingester.figure("messages_received_total", **client) == 3
    assert ingester.figure("readings_stored_total", **client) == 2
    assert ingester.figure("readings_duplicate_total", **client) == 2
    assert ingester.figure("rejected_total", **client, reason="parse") == 1
    assert ingester.figure("commit_seconds_count", **client) >= 1
    assert ingester.figure("acknowledgement_delay_seconds_count") == 2
    measured_at = reading(2)[1]
    assert measured_at is not None
    assert ingester.figure("measured_lag_seconds", **client) == pytest.approx(time.time() - measured_at, abs=60)
    assert ingester.figure("received_lag_seconds", **client) == 0


def test_devices_that_change_their_story_are_named_in_the_log(ingester: Ingester, peer: Peer) -> None:
    for distance_mm in (640, 641, 642):
        peer.publish(codec.encode_readings(1, None, [reading(1, distance_mm)]))
    until(lambda: ingester.figure("rejected_total", reason="conflict") == 2, "both are refused")

    told = [line for line in ingester.text.splitlines() if 'event="conflict: ' in line]
    assert len(told) == 1
    assert peer.ref in told[0]


def test_batch_that_waits_for_the_database_is_seen(database: MigratedDatabase, ingester: Ingester, peer: Peer) -> None:
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("lock table readings in access exclusive mode")
        peer.publish(codec.encode_readings(1, None, [reading(1)]))
        until(lambda: ingester.figure("received_lag_seconds") > 0.3, "the lag grows")
        stored = ingester.figure("readings_stored_total")
    until(lambda: ingester.figure("received_lag_seconds") == 0, "the lag is gone")

    assert stored == 0
    assert ingester.figure("readings_stored_total") == 1


def test_connection_lost_within_a_transaction_is_one_line_of_the_log(
    database: MigratedDatabase, ingester: Ingester, peer: Peer
) -> None:
    with psycopg.connect(database.conninfo) as connection:
        connection.execute("lock table readings in access exclusive mode")
        peer.publish(codec.encode_readings(1, None, [reading(1)]))
        until(lambda: ingester.figure("received_lag_seconds") > 0, "it waits for the database")
        change(
            database,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'brimwatch readings' and datname = current_database()",
        )
        until(lambda: "The database does not answer" in ingester.text, "it says so")
    until(lambda: ingester.figure("readings_stored_total") == 1, "it is stored after all")

    assert [line for line in ingester.text.splitlines() if not line.startswith("timestamp=")] == []


def test_lost_broker_makes_it_unready_and_not_unhealthy(
    tmp_path: Path, database: MigratedDatabase, fresh_broker: Broker
) -> None:
    with Ingester(tmp_path, database, fresh_broker) as ingester:
        fresh_broker.stop()
        until(lambda: "brimwatch-readings" in ingester.health()[1].get("problems", ()), "it is not ready")
        code, answer = ingester.health()
        alive = ingester.ask("/healthz")
        fresh_broker.start()
        until(lambda: ingester.health()[0] == 200, "it is ready again")

        assert code == 503
        assert "does not answer" in answer["problems"]["brimwatch-readings"]
        assert alive == (200, '{"status": "ok"}')
        assert ingester.figure("reconnects_total", link="brimwatch-readings") >= 1


def test_database_that_hangs_makes_it_unready(
    server: Database | GivenDatabase, database: MigratedDatabase, ingester: Ingester
) -> None:
    if not isinstance(server, Database):
        pytest.skip("the server's processes are not ours")
    lead = "select pid from pg_stat_activity where application_name = 'brimwatch lead' and datname = current_database()"
    [(pid,)] = rows(database, lead)
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: ingester.health()[0] == 503, "it is not ready")
        answer = ingester.health()[1]
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: ingester.health()[0] == 200, "it is ready again")

    assert answer["problems"] == {"database": "The database has not answered for 5 s"}
    assert "trying again" not in ingester.text


def test_address_that_cannot_be_listened_on_is_one_sentence(database: MigratedDatabase, broker: Broker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = {
            **os.environ,
            **database.ingest_env,
            "BRIMWATCH_MQTT_HOST": broker.host,
            "BRIMWATCH_CERTIFICATES": str(broker.certificates),
            "BRIMWATCH_HEALTH_PORT": str(port),
        }
        command = [sys.executable, "-m", "ingest", "serve"]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("BRIMWATCH_HEALTH_HOST and BRIMWATCH_HEALTH_PORT are no address to listen on: ")
    assert done.stderr.endswith(f"('127.0.0.1', {port}): address already in use.\n")


def test_flood_of_one_device_harms_nobody_and_loses_nothing(
    tmp_path: Path, database: MigratedDatabase, fresh_broker: Broker, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIMWATCH_DEVICE_MESSAGES_PER_S", "10")
    mad, good = (f"d-{secrets.token_hex(4)}" for _ in range(2))
    enrol(database, authority, tmp_path / "devices", mad, good)
    with (
        Ingester(tmp_path, database, fresh_broker) as ingester,
        Peer(tmp_path / "devices", mad, fresh_broker) as flooding,
        Peer(tmp_path / "devices", good, fresh_broker) as calm,
    ):
        quiet_s = [acknowledged_s(calm, seq) for seq in range(60)]
        with flood(flooding, per_s=500) as sent:
            until(lambda: ingester.figure("messages_put_off_total") > 100, "the flood is over its limit")
            flooded_s = [acknowledged_s(calm, seq) for seq in range(1000, 1060)]
        until(
            lambda: ingester.figure("messages_put_off_total") + len(flooding.acknowledged) == len(sent),
            "every message of the flood is stored or put off",
        )
        put_off = sorted({(1, seq) for seq in sent} - flooding.acknowledged)
        kept = {seq for _, seq, _ in stored(database, flooding)}
        again = put_off[:5]

        def taken() -> bool:
            flooding.publish(codec.encode_readings(1, None, [flooded(seq) for _, seq in again]))
            return flooding.acknowledged.issuperset(again)

        until(taken, "what was put off is taken when it is sent again")

    assert kept == set(sent) - {seq for _, seq in put_off}
    assert len(stored(database, calm)) == 120
    assert f"device={mad}" in ingester.text
    # Far from both: a device that waited for the flood to end would wait for seconds.
    assert statistics.median(flooded_s) < statistics.median(quiet_s) + 1, (quiet_s, flooded_s)


def test_what_waited_while_it_was_away_is_not_put_off(
    tmp_path: Path, database: MigratedDatabase, fresh_broker: Broker, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where all is of one device, and more than may be on its way at once."""
    monkeypatch.setenv("BRIMWATCH_DEVICE_MESSAGES_PER_S", "1")
    monkeypatch.setenv("BRIMWATCH_BATCH_MESSAGES", "100")
    ref, count = f"d-{secrets.token_hex(4)}", 2000
    enrol(database, authority, tmp_path / "devices", ref)
    with Ingester(tmp_path, database, fresh_broker) as ingester, Peer(tmp_path / "devices", ref, fresh_broker) as peer:
        ingester.terminate()
        sent = [peer.send(codec.encode_readings(1, None, [flooded(seq)])) for seq in range(count)]
        sent[-1].wait_for_publish(60)
        ingester.start()
        until(lambda: ingester.figure("messages_received_total") >= count, "everything was received")

        assert ingester.figure("messages_put_off_total") == 0
        until(lambda: len(stored(database, peer)) == count, "everything is stored")


def acknowledged_s(peer: Peer, seq: int) -> float:
    """Publish a reading; give how many seconds its acknowledgement took."""
    began = time.monotonic()
    peer.publish(codec.encode_readings(1, None, [reading(seq)]))
    while (1, seq) not in peer.acknowledged:
        assert time.monotonic() - began < 60, f"{peer.ref} got no acknowledgement of {seq}"
        time.sleep(0.001)
    return time.monotonic() - began


def flooded(seq: int) -> tuple[int | None, ...]:
    """Give a reading of the flood: one for each second since a week ago, so that none is from the future."""
    return (seq, NOW_S - 7 * 86_400 + seq, *reading()[2:])


@contextmanager
def flood(peer: Peer, per_s: int) -> Iterator[list[int]]:
    """Publish readings at a rate until the block ends; gives what was sent."""
    sent: list[int] = []
    enough = threading.Event()

    def pour() -> None:
        began = time.monotonic()
        while not enough.wait(0.01):
            while len(sent) < (time.monotonic() - began) * per_s:
                peer.send(codec.encode_readings(1, None, [flooded(len(sent))]))
                sent.append(len(sent))

    thread = threading.Thread(target=pour)
    thread.start()
    try:
        yield sent
    finally:
        enough.set()
        thread.join()
