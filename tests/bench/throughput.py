"""How fast the ingester drains a standing backlog, beside others in the same minutes."""

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from simulator.stack.native import find_programs
from simulator.stack.place import find_place
from tests.bench.backlog import Backlog, make_backlog
from tests.bench.drain import drain
from tests.bench.flow import Flow
from tests.bench.part import Found, Tell
from tests.bench.peers.listener import run_listener
from tests.bench.stage import Stage, open_stage

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build/peers"
MESSAGES = 100_000
NAIVE_MESSAGES = 5_000  # it takes its time
BATCHED_MESSAGES = 10_000
BATCHED_ROWS = 24

Samples = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Backlogs:
    """What the subjects drain."""

    single: Backlog
    short: Backlog
    batched: Backlog


def measure(rounds: int, tell: Tell) -> Found:
    """Have every subject drain its backlog once a round."""
    bridge = _install_bridge()
    samples: Samples = defaultdict(list)
    first_s = int(time.time()) - 2 * 86_400
    flows = Flow(MESSAGES, first_s), Flow(NAIVE_MESSAGES, first_s), Flow(BATCHED_MESSAGES, first_s, rows=BATCHED_ROWS)
    with open_stage() as stage:
        backlogs = Backlogs(*(make_backlog(stage.broker, stage.bundle, flow) for flow in flows))
        for number in range(1, rounds + 1):
            _play_round(stage, backlogs, samples, bridge=bridge)
            latest = ", ".join(f"{name} {values[-1]:.4g}" for name, values in samples.items())
            tell(f"round {number} of {rounds}: {latest}")
    return Found(_figures(samples), dict(samples))


def _play_round(stage: Stage, backlogs: Backlogs, samples: Samples, *, bridge: bool) -> None:
    """Run every subject once: what slows the machine down for a while then slows all of them down."""
    ours = drain(stage, [sys.executable, "-m", "ingest", "serve"], backlogs.single)
    samples["ours"].append(ours.messages_per_s)
    samples["ours_cpu_us"].append(ours.cpu_us)
    quiet = drain(stage, [sys.executable, "-m", "tests.bench.peers.quiet"], backlogs.single)
    samples["quiet"].append(quiet.messages_per_s)
    samples["quiet_cpu_us"].append(quiet.cpu_us)
    if bridge:
        rival = drain(
            stage, [sys.executable, "-m", "tests.bench.peers.bridge"], backlogs.single, {"PYTHONPATH": str(PEERS)}
        )
        samples["bridge"].append(rival.messages_per_s)
        samples["bridge_cpu_us"].append(rival.cpu_us)
    naive = drain(stage, [sys.executable, "-m", "tests.bench.peers.naive"], backlogs.short)
    samples["naive"].append(naive.messages_per_s)
    samples["naive_cpu_us"].append(naive.cpu_us)
    mosquitto = find_programs(find_place(), os.environ).mosquitto
    listener = mosquitto.parents[1] / "bin/mosquitto_sub"
    samples["listener_cpu_us"].append(run_listener(stage, backlogs.single, listener))
    readings = drain(stage, [sys.executable, "-m", "ingest", "serve"], backlogs.batched)
    samples["ours_readings"].append(readings.messages_per_s * BATCHED_ROWS)


def _figures(samples: Samples) -> dict[str, float]:
    # Like for like with the peers is PUBACK only; what is delivered also tells the devices.
    figures = {
        "ingest.messages_per_s": statistics.median(samples["quiet"]),
        "ingest.messages_per_s_with_acks": statistics.median(samples["ours"]),
        "ingest.vs_naive": _ratio(samples["quiet"], samples["naive"]),
        "ingest.vs_naive_with_acks": _ratio(samples["ours"], samples["naive"]),
        "ingest.cpu_us_per_message": statistics.median(samples["quiet_cpu_us"]),
        "ingest.cpu_us_per_message_with_acks": statistics.median(samples["ours_cpu_us"]),
        "ingest.cpu_vs_mosquitto_sub": _ratio(samples["quiet_cpu_us"], samples["listener_cpu_us"]),
        "ingest.cpu_vs_mosquitto_sub_with_acks": _ratio(samples["ours_cpu_us"], samples["listener_cpu_us"]),
        "ingest.readings_per_s": statistics.median(samples["ours_readings"]),
    }
    if samples["bridge"]:
        figures["ingest.vs_mq_bridge"] = _ratio(samples["quiet"], samples["bridge"])
    return figures


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """Give the median of the rounds' ratios."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def _install_bridge() -> bool:
    """Fetch the peer that is no part of the product, into a folder of its own; without it, it is left out."""
    wanted = ROOT / "tests/bench/requirements.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--upgrade"]
    done = subprocess.run([*command, "--target", str(PEERS), "-r", str(wanted)], check=False)
    return done.returncode == 0
