"""`make demo` after set-up, with a small town: everything runs for real."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from simulator.device import BrokerAddress
from simulator.load import run_load
from simulator.stack.answers import Api
from simulator.stack.native import find_programs, server_given
from simulator.stack.place import checkout_folder, find_place
from tests.conftest import run_module

pytestmark = pytest.mark.skipif(server_given(os.environ), reason="PGHOST names a server that is not ours to fill.")

SIZE = {"DEMO_BINS": "40", "DEMO_FIRMWARE": "3"}
START_S = 400.0
STOP_S = 100.0
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """A demo that answers.

    Attributes:
        folder: its data.
        told: the content of its demo.json.
        process: the command.
    """

    folder: Path
    told: dict[str, Any]
    process: subprocess.Popen[str]

    @property
    def api(self) -> Api:
        """Its API, with its key."""
        return Api(self.told["api"], self.told["api_key"])

    @property
    def bin(self) -> str:
        """The spare device's bin."""
        return str(self.told["mqtt"]["bin"])

    def publish(self, message: str) -> None:
        """Publish readings of the spare device with Mosquitto's own client, as a newcomer would."""
        mqtt = self.told["mqtt"]
        program = find_programs(find_place(), os.environ).mosquitto_clients / "mosquitto_pub"
        topic = f"bins/v1/{mqtt['device']}/up/readings"
        where = ["-h", mqtt["host"], "-p", str(mqtt["port"]), "-i", mqtt["device"]]
        secrets = ["--cafile", mqtt["ca"], "--cert", mqtt["cert"], "--key", mqtt["key"]]
        subprocess.run(
            [program, *where, *secrets, "-q", "1", "-t", topic, "-m", message], check=True, timeout=PATIENCE_S
        )

    def readings(self) -> list[dict[str, Any]]:
        """Give the spare bin's readings, newest first."""
        return list(self.api.get(f"/bins/{self.bin}/readings")["items"])

    def rejects(self) -> list[tuple[str, str]]:
        """Give reason and payload of what the spare device sent and was refused, newest first."""
        items = self.api.get("/rejects", limit=100)["items"]
        return [(item["reason"], item["payload"]) for item in items if item["device"] == self.told["mqtt"]["device"]]

    def count(self) -> int:
        """Count the stored readings."""
        database = self.told["database"]
        with psycopg.connect(**database) as conn:
            row = conn.execute("select count(*) from readings").fetchone()
        assert row
        return int(row[0])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = find_place().scratch("demo")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[RunningDemo]:
    with started(folder, SIZE) as process:
        told = wait_for_description(folder, process)
        yield RunningDemo(folder, told, process)


@pytest.fixture
def fresh_folder() -> Iterator[Path]:
    folder = find_place().scratch("demo")
    yield folder
    shutil.rmtree(folder)


def test_demo_says_where_everything_is_to_us_alone(demo: RunningDemo) -> None:
    mode = (demo.folder / "demo.json").stat().st_mode & 0o777

    assert mode == 0o600
    assert demo.told["api"] == f"{demo.told['dashboard']}api/v1"
    assert demo.told["bins"] == 40
    assert len(demo.told["firmware"]) == 3
    assert {"user", "password", "api_key", "mqtt", "database"} <= demo.told.keys()
    assert all(Path(demo.told["mqtt"][name]).is_file() for name in ("ca", "cert", "key"))


def test_demo_shows_the_town_and_what_is_due(demo: RunningDemo) -> None:
    bins = list(demo.api.items("/bins"))
    due = list(demo.api.items("/due"))

    assert len(bins) == 40
    assert 0 < len(due) <= 20
    assert all(item["reason"] != "NOT_READY" and item["explanation"] for item in due)
    assert all(53.9 < item["latitude"] < 54.1 and -5.0 < item["longitude"] < -4.8 for item in bins)


def test_demo_has_weeks_of_hourly_history(demo: RunningDemo) -> None:
    month = 28 * 24 * 40

    assert 0.9 * month < demo.count() < 1.3 * month


def test_demo_stores_readings_of_the_real_firmware(demo: RunningDemo) -> None:
    places = {item["device"]: item["ref"] for item in demo.api.items("/bins")}

    for device in demo.told["firmware"]:
        newest = demo.api.get(f"/bins/{places[device]}/readings", limit=1)["items"][0]
        assert newest["epoch"] >= 1, device
        assert datetime.now(UTC) - datetime.fromisoformat(newest["measured_at"]) < timedelta(minutes=5)


def test_json_reading_appears_within_two_seconds(demo: RunningDemo) -> None:
    def appears_s(minutes_ago: int) -> float:
        at = moment(minutes_ago=minutes_ago)
        demo.publish(json.dumps({"distance_mm": 640, "measured_at": at}))
        published = time.monotonic()
        wait_until(lambda: [item["distance_mm"] for item in demo.readings() if same(item, at)] == [640])
        return time.monotonic() - published

    # Whoever looked only now and then would have looked just before each of those that follow.
    appears_s(59)
    # A machine that is busy with something else is late now and then.
    assert any(appears_s(minutes_ago) < 2 for minutes_ago in range(50, 59))


def test_json_reading_twice_is_one_row(demo: RunningDemo) -> None:
    at, later = moment(minutes_ago=10), moment(minutes_ago=9)

    for _ in range(2):
        demo.publish(json.dumps({"distance_mm": 500, "measured_at": at}))
    demo.publish(json.dumps({"distance_mm": 501, "measured_at": later}))

    wait_until(lambda: any(same(item, later) for item in demo.readings()))
    assert sum(same(item, at) for item in demo.readings()) == 1


def test_json_reading_with_another_value_is_refused(demo: RunningDemo) -> None:
    at = moment(minutes_ago=20)
    first, other = (json.dumps({"distance_mm": value, "measured_at": at}) for value in (400, 900))

    demo.publish(first)
    demo.publish(other)

    wait_until(lambda: ("conflict", other) in demo.rejects())
    assert [item["distance_mm"] for item in demo.readings() if same(item, at)] == [400]


def test_rubbish_is_kept_with_a_reason_and_stops_nothing(demo: RunningDemo) -> None:
    at = moment(minutes_ago=30)

    demo.publish("{not JSON at all")
    demo.publish(json.dumps({"distance_mm": 333, "measured_at": at}))

    wait_until(lambda: any(same(item, at) for item in demo.readings()))
    assert ("parse", "{not JSON at all") in demo.rejects()


def test_load_every_reading_is_acknowledged(demo: RunningDemo, tmp_path: Path) -> None:
    database = {f"PG{name.upper()}": str(value) for name, value in demo.told["database"].items()}
    env = database | {
        "PGDATABASE": database.pop("PGDBNAME"),
        "BRIMWATCH_CERTIFICATES": str(demo.folder / "certificates"),
    }
    run_module("ingest", "devices", "enrol", "load-1", "load-2", "--out", str(tmp_path), env=env)
    bundles = [tmp_path / "load-1", tmp_path / "load-2"]

    outcome = run_load(BrokerAddress("127.0.0.1", demo.told["mqtt"]["port"]), bundles, rate=50, seconds=2)

    assert outcome.sent == outcome.acknowledged == 100
    assert outcome.sentence().startswith("100 readings in ")


def test_demo_heals_what_was_killed(demo: RunningDemo) -> None:
    commands = "postgres -D", "mosquitto -c", "ingest serve"
    victims = {pid: words for pid in processes_of(demo.folder) for words in commands if runs(pid, words)}
    # A connection's process bears the server's name at first.
    assert set(victims.values()) == set(commands)
    at = moment(minutes_ago=40)

    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    wait_until(lambda: try_publish(demo, {"distance_mm": 222, "measured_at": at}))
    wait_until(lambda: has_reading(demo, at))


def test_demo_sigterm_leaves_nothing_and_next_start_keeps_the_data(folder: Path, demo: RunningDemo) -> None:
    stored = demo.count()

    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(STOP_S) == 0
    assert processes_of(folder) == []
    assert not (folder / "demo.json").exists()

    with started(folder, SIZE | {"DEMO_SECONDS": "5"}) as process:
        again = RunningDemo(folder, wait_for_description(folder, process), process)
        # Only its servers go on, so that it does not end before all is looked at.
        process.send_signal(signal.SIGSTOP)
        assert stored <= again.count() < stored + 40 * 10
        assert again.told["password"] == demo.told["password"]
        assert again.told["api_key"] == demo.told["api_key"]
        process.send_signal(signal.SIGCONT)
        assert process.wait(STOP_S) == 0
    assert processes_of(folder) == []
    assert not (folder / "demo.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_ended_while_it_starts_leaves_nothing(fresh_folder: Path, number: signal.Signals) -> None:
    with started(fresh_folder, SIZE) as process:
        wait_until(lambda: len(processes_of(fresh_folder)) > 2)
        process.send_signal(number)

        assert process.wait(STOP_S) == 128 + number
    assert processes_of(fresh_folder) == []


def test_demo_port_taken_is_one_sentence(fresh_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with started(fresh_folder, SIZE | {"DEMO_PORT": str(port)}) as process:
            _, complaint = process.communicate(timeout=STOP_S)

    assert process.returncode == 2
    assert re.fullmatch(rf"Port {port} is taken by another program; set DEMO_PORT to a free one\.\n", complaint)


def started(folder: Path, environ: dict[str, str]) -> subprocess.Popen[str]:
    """Start a demo with its data and its description in a folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DEMO_")}
    return Ended(
        [sys.executable, "-m", "simulator", "demo", "--data", str(folder), "--out", str(folder / "demo.json")],
        env={**clean, **environ},
        cwd=checkout_folder(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


class Ended(subprocess.Popen[str]):
    """A process that is ended with its block, also when a test has failed."""

    def __exit__(self, *exception: object) -> None:
        if self.poll() is None:
            self.terminate()
            try:
                self.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        super().__exit__(*exception)


def wait_for_description(folder: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for demo.json."""
    path = folder / "demo.json"
    wait_until(lambda: path.exists() or process.poll() is not None, within_s=START_S)
    assert process.poll() is None, process.stderr.read() if process.stderr else ""
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def wait_until(condition: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Ask again and again until it is true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(0.05)


def processes_of(folder: Path) -> list[int]:
    """List the processes whose command or environment names this folder, the demo itself left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            words = b"".join(read(entry / name) for name in ("cmdline", "environ"))
            if str(folder).encode() in words and b"simulator\0demo" not in read(entry / "cmdline"):
                found.append(int(entry.name))
    return found


def runs(pid: int, words: str) -> bool:
    """Say whether a process runs a command with these words."""
    return words in read(Path(f"/proc/{pid}/cmdline")).replace(b"\0", b" ").decode()


def read(path: Path) -> bytes:
    """Read a file of a process that may be gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def moment(*, minutes_ago: int) -> str:
    """Give a time in the words of the contract, a whole second."""
    return (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def same(item: dict[str, Any], at: str) -> bool:
    """Say whether a reading was measured at a time."""
    return datetime.fromisoformat(item["measured_at"]) == datetime.fromisoformat(at)


def try_publish(demo: RunningDemo, reading: dict[str, Any]) -> bool:
    """Publish, and say whether that worked."""
    try:
        demo.publish(json.dumps(reading))
    except subprocess.SubprocessError:
        return False
    return True


def has_reading(demo: RunningDemo, at: str) -> bool:
    """Say whether the API shows a reading of that time; no while it does not answer."""
    try:
        return any(same(item, at) for item in demo.readings())
    except OSError:
        return False
