"""How long assessing takes: the work alone, for 1,000 to 100,000 bins, and the whole way through the database."""

import json
import statistics
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.levels.readings import Integers
from ingest.assess.memory.ragged import Rows
from ingest.assess.store.work import Assessor, fitted_bins
from ingest.binary import copy_in, row_kind
from simulator.evaluate.plots import draw
from simulator.evaluate.scores import Plot
from tests.bench.assess_town import NOW, AssessTown
from tests.bench.part import Found, Tell
from tests.bench.stage import Stage, open_stage
from tests.conftest import conninfo

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
RUNNER_BINS = 10_000
# More than a watch keeps of the bins of this town.
PAST_H = 150

ROOT = Path(__file__).parents[2]
PLOT = ROOT / "docs/performance/assess.svg"
MEASURED = ("distance_mm", "spread_mm", "valid_count", "tilt_deg")
READINGS = row_kind(
    [
        ("device_id", ">i4"),
        ("epoch", ">i8"),
        ("seq", ">i8"),
        ("measured_at", ">i8"),
        ("distance_mm", ">i4"),
        ("spread_mm", ">i4"),
        ("valid_count", ">i2"),
        ("tilt_deg", ">i2"),
    ]
)
TOWN = """
with stands as (
    insert into bins (ref, name, longitude, latitude)
    select 'assess-' || n, 'assess-' || n, -4.9, 54.0 from generate_series(1, %(bins)s) as n
    returning id, ref
), sensors as (
    insert into devices (ref) select 'assess-' || n from generate_series(1, %(bins)s) as n returning id, ref
)
insert into fittings (device_id, bin_id, fitted_at, empty_mm, full_mm)
select sensors.id, stands.id, %(fitted_at)s, 1200, 200 from sensors join stands using (ref)
"""
"""Bins with a device each, numbered as in the town of numbers."""
DEVICES = "select id from devices where ref like 'assess-%' order by substr(ref, 8)::int"
MISSING = "select count(*) from bins left join bin_state on bin_id = id where measured_at is distinct from %s"
QUEUE = """
insert into assess_queue (device_id, from_measured_at)
select devices.id, %s from devices where devices.ref like 'assess-%%'
"""


def measure(rounds: int, tell: Tell) -> Found:
    """Assess one new reading of each bin, once a round."""
    samples: dict[str, list[float]] = {}
    figures: dict[str, float] = {}
    for bins in SIZES:
        found = _work_alone(bins, rounds)
        name = f"assess.bins_{bins // 1000}k"
        samples |= {f"{name}_s": found["seconds"], f"{name}_cpu_s": found["cpu_seconds"]}
        figures[f"{name}_rss_mb"] = found["rss_mb"]
        tell(f"{bins} bins: {statistics.median(found['seconds']):.3f} s, {found['rss_mb']:.0f} MB")
    figures |= {name: statistics.median(values) for name, values in samples.items()}
    _draw([figures[f"assess.bins_{bins // 1000}k_s"] for bins in SIZES])
    with open_stage() as stage:
        found_by = _through_database(stage, rounds, tell)
    samples |= found_by
    return Found(figures | {name: statistics.median(values) for name, values in found_by.items()}, samples)


def _draw(seconds: list[float]) -> None:
    """Draw how the time grows with the bins."""
    evenly = [seconds[0] * bins / SIZES[0] for bins in SIZES]
    lines = {"measured": (SIZES, seconds), "if each bin cost what it does of 1,000": (SIZES, evenly)}
    plot = Plot("assess", "Reassessing bins after a new reading of each", "bins", "seconds", lines)
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(draw(plot))


def _work_alone(bins: int, rounds: int) -> dict[str, Any]:
    """Measure in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "tests.bench.assess_town", str(bins), str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _through_database(stage: Stage, rounds: int, tell: Tell) -> dict[str, list[float]]:
    town = AssessTown(RUNNER_BINS)
    samples: dict[str, list[float]] = {"assess.runner_10k_s": [], "assess.runner_start_10k_s": []}
    with stage.connect() as owner:
        owner.execute(TOWN, {"bins": RUNNER_BINS, "fitted_at": NOW - timedelta(days=400)})
        devices = np.array(owner.execute(DEVICES).fetchall(), dtype=np.int64).ravel()
        for hours in range(-PAST_H, 1):
            _store(owner, town.next_readings(hours), devices)
        owner.execute("analyze")
    with psycopg.connect(conninfo(stage.env), autocommit=True) as connection, stage.connect() as owner:
        calendar = Calendar(ZoneInfo("Europe/London"))
        _start(connection, calendar, NOW)
        for number in range(1, rounds + 1):
            now = NOW + timedelta(hours=number)
            began = time.monotonic()
            assessor = _start(connection, calendar, now)
            samples["assess.runner_start_10k_s"].append(time.monotonic() - began)
            _store(owner, town.next_readings(number), devices)
            owner.execute(QUEUE, (now,))
            owner.execute("checkpoint")
            began = time.monotonic()
            while assessor.take_queue(now):
                pass
            samples["assess.runner_10k_s"].append(time.monotonic() - began)
            if owner.execute(MISSING, (now,)).fetchone() != (0,):
                raise AssertionError("not all readings became states")
            tell(f"round {number} of {rounds}: {samples['assess.runner_10k_s'][-1]:.2f} s")
    return samples


def _start(connection: psycopg.Connection, calendar: Calendar, now: datetime) -> Assessor:
    """Start from what is stored, as the runner does."""
    assessor = Assessor(connection, calendar)
    assessor.assess(dict.fromkeys(fitted_bins(connection), now), now)
    assessor.look_at_time(now)
    return assessor


def _store(owner: psycopg.Connection, rows: Rows, devices: Integers) -> None:
    columns = {name: rows[name] for name in ("epoch", "seq", "measured_at")}
    columns |= {name: rows[name].astype(np.int64) for name in MEASURED}
    copy_in(owner, "readings", {"device_id": devices[rows["bin_id"] - 1], **columns}, READINGS)
