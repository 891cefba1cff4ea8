"""`python -m tests.bench`: how fast the ingester is, beside others in the same minutes (docs/performance.md)."""

import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulator.stack.native import find_programs
from simulator.stack.place import find_place
from tests.bench.backlog import Backlog, make_backlog
from tests.bench.peers.listener import run_listener
from tests.bench.stage import Stage, open_stage

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build/peers"
RESULT = ROOT / "build/bench.json"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
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


def main() -> None:
    """Measure, print, and write build/bench.json."""
    bridge = _install_bridge()
    samples: Samples = defaultdict(list)
    with open_stage() as stage:
        backlogs = Backlogs(
            make_backlog(stage.broker, MESSAGES, 1),
            make_backlog(stage.broker, NAIVE_MESSAGES, 1),
            make_backlog(stage.broker, BATCHED_MESSAGES, BATCHED_ROWS),
        )
        for number in range(1, ROUNDS + 1):
            _play_round(stage, backlogs, samples, bridge=bridge)
            latest = ", ".join(f"{name} {values[-1]:.4g}" for name, values in samples.items())
            print(f"round {number} of {ROUNDS}: {latest}", file=sys.stderr)  # noqa: T201 - progress, for people
    figures = _figures(samples)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"figures": figures, "samples": samples}, indent=2) + "\n")
    _print(figures)


def _play_round(stage: Stage, backlogs: Backlogs, samples: Samples, *, bridge: bool) -> None:
    """Run every subject once: what slows the machine down for a while then slows all of them down."""
    ours = stage.run([sys.executable, "-m", "ingest", "serve"], backlogs.single)
    samples["ours"].append(ours.messages_per_s)
    samples["ours_cpu_us"].append(ours.cpu_us)
    quiet = stage.run([sys.executable, "-m", "tests.bench.peers.quiet"], backlogs.single)
    samples["quiet"].append(quiet.messages_per_s)
    samples["quiet_cpu_us"].append(quiet.cpu_us)
    if bridge:
        rival = stage.run(
            [sys.executable, "-m", "tests.bench.peers.bridge"], backlogs.single, {"PYTHONPATH": str(PEERS)}
        )
        samples["bridge"].append(rival.messages_per_s)
        samples["bridge_cpu_us"].append(rival.cpu_us)
    naive = stage.run([sys.executable, "-m", "tests.bench.peers.naive"], backlogs.short)
    samples["naive"].append(naive.messages_per_s)
    samples["naive_cpu_us"].append(naive.cpu_us)
    mosquitto = find_programs(find_place(), os.environ).mosquitto
    listener = mosquitto.parents[1] / "bin/mosquitto_sub"
    samples["listener_cpu_us"].append(run_listener(stage, backlogs.single, listener))
    readings = stage.run([sys.executable, "-m", "ingest", "serve"], backlogs.batched)
    samples["ours_readings"].append(readings.messages_per_s * BATCHED_ROWS)


def _figures(samples: Samples) -> dict[str, float]:
    figures = {
        "ingest.messages_per_s": statistics.median(samples["ours"]),
        "ingest.messages_per_s_puback_only": statistics.median(samples["quiet"]),
        "ingest.vs_naive": _ratio(samples["ours"], samples["naive"]),
        "ingest.vs_naive_puback_only": _ratio(samples["quiet"], samples["naive"]),
        "ingest.cpu_us_per_message": statistics.median(samples["ours_cpu_us"]),
        "ingest.cpu_us_per_message_puback_only": statistics.median(samples["quiet_cpu_us"]),
        "ingest.cpu_vs_mosquitto_sub": _ratio(samples["ours_cpu_us"], samples["listener_cpu_us"]),
        "ingest.cpu_vs_mosquitto_sub_puback_only": _ratio(samples["quiet_cpu_us"], samples["listener_cpu_us"]),
        "ingest.readings_per_s": statistics.median(samples["ours_readings"]),
    }
    if samples["bridge"]:
        figures["ingest.vs_mq_bridge"] = _ratio(samples["quiet"], samples["bridge"])
    return {name: round(value, 3) for name, value in figures.items()}


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """Give the median of the rounds' ratios."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def _install_bridge() -> bool:
    """Fetch the peer that is no part of the product, into a folder of its own; without it, it is left out."""
    wanted = ROOT / "tests/bench/requirements.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--upgrade"]
    done = subprocess.run([*command, "--target", str(PEERS), "-r", str(wanted)], check=False)
    return done.returncode == 0


def _print(figures: dict[str, float]) -> None:
    table = Table("figure", "median", title=f"{ROUNDS} rounds")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.1f}" if value >= 1000 else f"{value:.3g}")
    Console().print(table)


if __name__ == "__main__":
    main()
