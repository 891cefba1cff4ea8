"""From publishing to the API's answer: with ingester, assess runner and API as they are delivered."""

import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

import numpy as np

from simulator.stack.answers import Api, is_healthy
from simulator.stack.process import free_port
from tests.bench.backlog import enrol_devices
from tests.bench.flow import Flow, ref
from tests.bench.part import Found, Tell
from tests.bench.publisher import publishing
from tests.bench.readings import device_ids, write_readings
from tests.bench.stage import START_S, Stage, open_stage, until
from tests.conftest import run_module

BINS = 500
PER_S = 100
PAST_HOURS = 6 * 96 + 2
"""What is published goes on where the past ends: shortly after all bins were emptied."""
WARM_UP_S = 6
MEASURED_S = 30
WATCHERS = 4
LOOK_EVERY_S = 0.05
LONGEST_S = 30.0
FIT = """
with fitted as (select id, ref from devices where ref ~ '^bench-[0-9]+$'),
stands as (
    insert into bins (ref, name, longitude, latitude) select ref, ref, -4.9, 54.0 from fitted
    returning id, ref
)
insert into fittings (device_id, bin_id, fitted_at, empty_mm, full_mm)
select fitted.id, stands.id, to_timestamp(%s), 1010, 150
from fitted
join stands using (ref)
"""


def measure(rounds: int, tell: Tell) -> Found:
    """Watch bins in the API while their readings are published."""
    samples: dict[str, list[float]] = {"p50_s": [], "p99_s": [], "count": []}
    with open_stage() as stage:
        _make_town(stage)
        with _served(stage) as api:
            for number in range(1, rounds + 1):
                waits_s = _play(stage, api, number)
                for name, value in zip(samples, (*np.percentile(waits_s, [50, 99]), len(waits_s)), strict=True):
                    samples[name].append(float(value))
                latest = ", ".join(f"{name} {values[-1]:.3g}" for name, values in samples.items())
                tell(f"round {number} of {rounds}: {latest}")
    figures = {
        "ingest.visible_p50_s": statistics.median(samples["p50_s"]),
        "ingest.visible_p99_s": statistics.median(samples["p99_s"]),
        "ingest.visible_samples": sum(samples["count"]),
    }
    return Found(figures, samples)


def _make_town(stage: Stage) -> None:
    """Fit devices into bins, with a past to assess."""
    enrol_devices(stage.conninfo, BINS)
    past = Flow(BINS * PAST_HOURS, int(time.time()) - PAST_HOURS * 3600, devices=BINS, step_s=3600)
    with stage.connect() as connection:
        connection.execute(FIT, (past.first_s,))
        ids = device_ids(connection)
        write_readings(
            connection,
            ((ids[ref(device)], device, past.row(seq)) for device in range(BINS) for seq in range(PAST_HOURS)),
        )
        connection.execute("analyze")


@contextmanager
def _served(stage: Stage) -> Iterator[Api]:
    """Run ingester, assess runner and API; begins when all bins are assessed."""
    password = secrets.token_urlsafe(16)
    run_module("ingest", "migrate", env={**stage.database.env(), "BRIMWATCH_DASHBOARD_PASSWORD": password})
    reader = {**stage.env, "PGUSER": "brimwatch_dashboard", "PGPASSWORD": password}
    key = run_module("dashboard", "keys", "add", "bench", env=reader).strip()
    port = free_port()
    serve = [sys.executable, "-m", "dashboard", "serve", "--api-only", "--port", str(port)]
    stage.open_broker()
    with (
        stage.ingester(),
        stage.running([sys.executable, "-m", "ingest", "assess"], log=stage.folder / "assess.log") as assess,
        stage.running(serve, reader, stage.folder / "api.log") as server,
    ):
        if not until(server, lambda: is_healthy(f"http://127.0.0.1:{port}"), START_S):
            raise AssertionError((stage.folder / "api.log").read_text()[-2000:])
        api = Api(f"http://127.0.0.1:{port}/api/v1", key)
        if not until(assess, lambda: all(item["measured_at"] for item in api.items("/bins")), START_S):
            raise AssertionError((stage.folder / "assess.log").read_text()[-2000:])
        yield api


def _play(stage: Stage, api: Api, number: int) -> list[float]:
    """Publish for a while; gives the seconds until each sampled reading's bin showed it."""
    messages = (WARM_UP_S + MEASURED_S) * PER_S
    first_seq = PAST_HOURS + (number - 1) * messages // BINS
    flow = Flow(messages, int(time.time()), devices=BINS, step_s=BINS / PER_S, per_s=PER_S, first_seq=first_seq)
    with publishing(stage.where, flow) as publisher, ThreadPoolExecutor(WATCHERS) as pool:
        watchers = [pool.submit(_watch, api, flow, publisher.began_s, place) for place in range(WATCHERS)]
        waits_s = [wait_s for watcher in watchers for wait_s in watcher.result()]
        publisher.finish()
    return waits_s


def _watch(api: Api, flow: Flow, began_s: float, place: int) -> list[float]:
    """Wait for one reading after the other that is about to be published."""
    waits_s = []
    time.sleep(WARM_UP_S)
    while (number := int((time.monotonic() - began_s) * PER_S) + 2 + place) < flow.messages:
        turn, device = divmod(number, flow.devices)
        planned_s = began_s + flow.planned_s(number)
        time.sleep(max(0.0, planned_s - time.monotonic()))
        while not _shows(api, ref(device), flow.measured_s(flow.first_seq + turn)):
            if time.monotonic() > planned_s + LONGEST_S:
                raise AssertionError(f"{ref(device)} does not show the reading of {LONGEST_S:g} s ago")
            time.sleep(LOOK_EVERY_S)
        waits_s.append(time.monotonic() - planned_s)
    return waits_s


def _shows(api: Api, place: str, measured_s: int) -> bool:
    measured_at = api.get(f"/bins/{place}")["measured_at"]
    return bool(datetime.fromisoformat(measured_at).timestamp() >= measured_s)
