"""The local stack keeps its promises: real PostgreSQL with TimescaleDB, real Mosquitto, nothing left behind."""

import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.stack.broker import Broker, open_broker
from simulator.stack.database import Database, open_database
from simulator.stack.errors import StackError
from simulator.stack.native import find_programs, server_given
from simulator.stack.place import find_place
from simulator.stack.process import Child, descendants, wait_until
from tests.conftest import MigratedDatabase, conninfo
from tests.fixtures_certificates import TestAuthority

WAIT_S = 60.0

own_server = pytest.mark.skipif(server_given(os.environ), reason="PGHOST names a server that is not ours to stop.")


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = find_place().scratch("stack")
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture
def own_database(folder: Path) -> Iterator[Database]:
    database = open_database(folder, os.environ)
    assert isinstance(database, Database)
    with database:
        yield database


@pytest.fixture(scope="module")
def test_authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    authority = TestAuthority.in_folder(tmp_path_factory.mktemp("certificates"))
    for name in ("brimwatch-readings", "brimwatch-backlog", "brimwatch-send", "bin-a", "bin-b"):
        authority.issue(name)
    return authority


@pytest.fixture
def own_broker(folder: Path, test_authority: TestAuthority) -> Iterator[Broker]:
    with open_broker(folder, test_authority.folder, os.environ) as broker:
        yield broker


class Client:
    """An MQTT 5 client that keeps what it hears."""

    def __init__(self, broker: Broker, certificates: Path, name: str, client_id: str = "") -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id or name, protocol=mqtt.MQTTv5)
        ca, certificate, key = (str(certificates / file) for file in ("ca.pem", f"{name}.pem", f"{name}.key"))
        self._mqtt.tls_set(ca, certificate, key)
        self._mqtt.on_message = lambda _client, _data, message: self.heard.put((message.topic, bytes(message.payload)))
        self._answers: queue.Queue[object] = queue.Queue()
        self._mqtt.on_connect = lambda _client, _data, flags, *_: self._answers.put(flags.session_present)
        self._mqtt.on_subscribe = lambda *_: self._answers.put(None)
        keep = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no hint there
        keep.SessionExpiryInterval = 3600
        self._mqtt.connect(broker.host, broker.port, clean_start=False, properties=keep)
        self._mqtt.loop_start()
        self.session_present = self._answers.get(timeout=WAIT_S)

    def subscribe(self, topic: str) -> None:
        """Ask for a topic and wait for the broker's answer."""
        self._mqtt.subscribe(topic, qos=1)
        self._answers.get(timeout=WAIT_S)

    def publish(self, topic: str, payload: bytes) -> None:
        """Say it and wait for the broker's receipt."""
        self._mqtt.publish(topic, payload, qos=1).wait_for_publish(WAIT_S)

    def close(self) -> None:
        """Leave; the session stays."""
        self._mqtt.disconnect()
        self._mqtt.loop_stop()


@pytest.fixture
def connect(own_broker: Broker, test_authority: TestAuthority) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def connect_client(name: str, client_id: str = "") -> Client:
        clients.append(Client(own_broker, test_authority.folder, name, client_id))
        return clients[-1]

    yield connect_client
    for client in clients:
        client.close()


def gone(pid: int) -> bool:
    """Say whether a process has ended; one that init has not collected yet has."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def let_in(broker: Broker, context: ssl.SSLContext) -> bool:
    """Say whether the broker accepts a connection and a plain MQTT 3.1.1 CONNECT over it."""
    connect_packet = bytes.fromhex("100d00044d515454040200000001") + b"x"
    with socket.create_connection((broker.host, broker.port), timeout=WAIT_S) as raw:
        try:
            with context.wrap_socket(raw, server_hostname=broker.host) as secure:
                secure.sendall(connect_packet)
                return secure.recv(4) == bytes.fromhex("20020000")
        except (ssl.SSLError, ConnectionError):
            return False


@own_server
def test_database_killed_in_a_run_keeps_what_was_committed(own_database: Database) -> None:
    with psycopg.connect(conninfo(own_database.env())) as conn:
        conn.execute("create extension timescaledb")
        conn.execute("create table kept (measured_at timestamptz primary key)")
        conn.execute("select create_hypertable('kept', by_range('measured_at'))")
        conn.execute("insert into kept values (now())")
    children = descendants(own_database.pid or 0)

    own_database.kill()
    own_database.start()

    with psycopg.connect(conninfo(own_database.env())) as conn:
        assert conn.execute("select count(*) from kept").fetchone() == (1,)
    assert children
    for pid in children:
        wait_until(partial(gone, pid), timeout_s=WAIT_S, what="A backend did not end")


@own_server
def test_database_keeps_data_password_and_port_across_a_stop(own_database: Database) -> None:
    with psycopg.connect(conninfo(own_database.env())) as conn:
        conn.execute("create table kept as select 1 as one")
    first_pid, first_env = own_database.pid, own_database.env()

    own_database.stop()
    own_database.start()

    assert gone(first_pid or 0)
    assert own_database.env() == first_env
    with psycopg.connect(conninfo(own_database.env())) as conn:
        assert conn.execute("select one from kept").fetchone() == (1,)


@own_server
def test_database_is_durable_and_closed_to_strangers(own_database: Database) -> None:
    stranger = {**own_database.env(), "PGPASSWORD": "guess"}

    with psycopg.connect(conninfo(own_database.env())) as conn:
        settings = [
            conn.execute("select current_setting(%s)", [name]).fetchone()
            for name in ("fsync", "synchronous_commit", "jit", "listen_addresses", "timescaledb.telemetry_level")
        ]

    assert settings == [("on",), ("on",), ("off",), ("127.0.0.1",), ("off",)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(conninfo(stranger))


@own_server
def test_database_initialisation_that_was_interrupted_is_repeated(folder: Path) -> None:
    (folder / "pgdata.new").mkdir()
    (folder / "pgdata.new/PG_VERSION").write_text("17\n")
    database = open_database(folder, os.environ)

    with database, psycopg.connect(conninfo(database.env())) as conn:
        assert conn.execute("select current_database()").fetchone() == ("brimwatch",)


@own_server
def test_database_on_a_taken_port_says_so_in_one_sentence(own_database: Database) -> None:
    port = int(own_database.env()["PGPORT"])
    second = open_database(own_database.folder.parent / f"{own_database.folder.name}-second", os.environ, port=port)

    with pytest.raises(StackError, match=rf"^Port {port} is taken by another program; set PGPORT to a free one\.$"):
        second.start()


@pytest.mark.parametrize("turn", range(3))
def test_fresh_database_is_migrated_and_empty_each_time(database: MigratedDatabase, turn: int) -> None:
    with psycopg.connect(database.conninfo) as conn:
        found = conn.execute("select to_regclass('only_once'), to_regclass('readings') is not null").fetchone()
        conn.execute("create table only_once (turn integer)")
        conn.execute("insert into only_once values (%s)", [turn])

    assert found == (None, True)
    for env, role in ((database.ingest_env, "brimwatch_ingest"), (database.dashboard_env, "brimwatch_dashboard")):
        with psycopg.connect(conninfo(env)) as conn:
            assert conn.execute("select current_user").fetchone() == (role,)


def test_broker_delivers_a_device_under_its_own_name(connect: Callable[..., Client]) -> None:
    receiver = connect("brimwatch-readings")
    receiver.subscribe("bins/v1/+/up/readings")

    connect("bin-a").publish("bins/v1/bin-a/up/readings", b"one")

    assert receiver.heard.get(timeout=WAIT_S) == ("bins/v1/bin-a/up/readings", b"one")


def test_broker_drops_what_a_device_says_in_anothers_name(connect: Callable[..., Client]) -> None:
    receiver = connect("brimwatch-readings")
    receiver.subscribe("bins/v1/+/up/readings")
    device = connect("bin-a")

    device.publish("bins/v1/bin-b/up/readings", b"forged")
    device.publish("bins/v1/bin-a/up/readings", b"own")

    assert receiver.heard.get(timeout=WAIT_S) == ("bins/v1/bin-a/up/readings", b"own")
    assert receiver.heard.empty()


@pytest.mark.parametrize("topic", ["up", "up/photo", "up/readings/old", "down/ack"])
def test_broker_drops_what_is_not_a_topic_of_the_contract(connect: Callable[..., Client], topic: str) -> None:
    receiver = connect("brimwatch-readings")
    receiver.subscribe("bins/v1/+/up/#")
    device = connect("bin-a")

    device.publish(f"bins/v1/bin-a/{topic}", b"astray")
    device.publish("bins/v1/bin-a/up/status", b"own")

    assert receiver.heard.get(timeout=WAIT_S) == ("bins/v1/bin-a/up/status", b"own")
    assert receiver.heard.empty()


def test_broker_hands_an_answer_to_its_device_only(connect: Callable[..., Client]) -> None:
    device, neighbour, sender = connect("bin-a"), connect("bin-b"), connect("brimwatch-send")
    device.subscribe("bins/v1/bin-a/down/#")
    neighbour.subscribe("bins/v1/#")

    sender.publish("bins/v1/bin-a/down/ack", b"a")
    sender.publish("bins/v1/bin-b/down/ack", b"b")

    assert device.heard.get(timeout=WAIT_S) == ("bins/v1/bin-a/down/ack", b"a")
    assert neighbour.heard.get(timeout=WAIT_S) == ("bins/v1/bin-b/down/ack", b"b")
    assert neighbour.heard.empty()


def test_broker_knows_a_session_by_certificate_whatever_client_id_is_said(connect: Callable[..., Client]) -> None:
    named = connect("bin-a", client_id="bin-b")
    named.subscribe("bins/v1/bin-a/down/#")
    named.close()

    again = connect("bin-a", client_id="something-else")
    other = connect("bin-b")

    assert again.session_present
    assert not other.session_present


def test_broker_refuses_a_client_without_certificate(own_broker: Broker, test_authority: TestAuthority) -> None:
    context = ssl.create_default_context(cafile=test_authority.folder / "ca.pem")

    assert not let_in(own_broker, context)


def test_broker_refuses_a_certificate_of_another_authority(
    own_broker: Broker, test_authority: TestAuthority, tmp_path: Path
) -> None:
    context = ssl.create_default_context(cafile=test_authority.folder / "ca.pem")
    context.load_cert_chain(*TestAuthority.in_folder(tmp_path).issue("bin-a"))

    assert not let_in(own_broker, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_broker_lets_in_a_device_over_both_versions_of_tls(
    own_broker: Broker, test_authority: TestAuthority, version: ssl.TLSVersion
) -> None:
    context = ssl.create_default_context(cafile=test_authority.folder / "ca.pem")
    context.load_cert_chain(test_authority.folder / "bin-a.pem", test_authority.folder / "bin-a.key")
    context.minimum_version = context.maximum_version = version

    assert let_in(own_broker, context)


def test_broker_keeps_sessions_and_waiting_messages_across_a_stop(
    connect: Callable[..., Client], own_broker: Broker
) -> None:
    receiver = connect("brimwatch-backlog")
    receiver.subscribe("bins/v1/+/up/backlog")
    receiver.close()
    connect("bin-a").publish("bins/v1/bin-a/up/backlog", b"waiting")
    port = own_broker.port

    own_broker.stop()
    own_broker.start()

    assert own_broker.port == port
    receiver = connect("brimwatch-backlog")
    assert receiver.session_present
    assert receiver.heard.get(timeout=WAIT_S) == ("bins/v1/bin-a/up/backlog", b"waiting")


def test_broker_takes_a_reading_written_by_hand(
    connect: Callable[..., Client], own_broker: Broker, test_authority: TestAuthority
) -> None:
    receiver = connect("brimwatch-readings")
    receiver.subscribe("bins/v1/+/up/readings")
    program = find_programs(find_place(), os.environ).mosquitto_clients / "mosquitto_pub"
    certificates = test_authority.folder
    identity = ("--cert", certificates / "bin-b.pem", "--key", certificates / "bin-b.key")
    where = ("-h", own_broker.host, "-p", str(own_broker.port), "--cafile", certificates / "ca.pem")

    subprocess.run(
        [program, *where, *identity, "-q", "1", "-t", "bins/v1/bin-b/up/readings", "-m", '{"distance_mm": 640}'],
        check=True,
    )

    assert receiver.heard.get(timeout=WAIT_S) == ("bins/v1/bin-b/up/readings", b'{"distance_mm": 640}')


def test_broker_on_a_taken_port_says_so_in_one_sentence(own_broker: Broker, test_authority: TestAuthority) -> None:
    second = open_broker(own_broker.folder, test_authority.folder, os.environ, port=own_broker.port)

    with pytest.raises(StackError, match=rf"^Port {own_broker.port} is taken by another program"):
        second.start()


def test_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "trap 'echo alive' USR1; echo ready; while sleep 0.1; do :; done"
    children: list[Child] = []

    def start() -> None:
        children.append(Child(["sh", "-c", script], name="script", log=log))
        wait_until(lambda: "ready" in log.read_text(), timeout_s=WAIT_S, what="The script did not start")

    starter = Thread(target=start)
    starter.start()
    starter.join()
    task = Path(f"/proc/self/task/{starter.native_id}")
    wait_until(lambda: not task.exists(), timeout_s=WAIT_S, what="The thread did not end")
    (child,) = children

    child.send_signal(signal.SIGUSR1)  # the kernel's own signal, had there been one, would be served with this one

    wait_until(lambda: "alive" in log.read_text(), timeout_s=WAIT_S, what="The script did not answer", child=child)
    child.stop()


def test_servers_end_when_whoever_started_them_is_killed(folder: Path, test_authority: TestAuthority) -> None:
    program = (
        "import os, sys, time, pathlib\n"
        "from simulator.stack.broker import open_broker\n"
        "broker = open_broker(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), os.environ)\n"
        "broker.start()\n"
        "print(broker.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(folder), str(test_authority.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as starter:
        assert starter.stdout
        pid = int(starter.stdout.readline())

        starter.send_signal(signal.SIGKILL)

        wait_until(lambda: gone(pid), timeout_s=WAIT_S, what="The broker did not end")
