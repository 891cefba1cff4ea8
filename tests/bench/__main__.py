"""`python -m tests.bench`: how fast it is, as figures in `build/bench.json` (docs/performance.md)."""

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulator.stack.ending import Ended, ending_by_signal
from tests.bench import assess, day, latency, memory, restart, storage, throughput, visible

PARTS = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "visible": visible.measure,
    "memory": memory.measure,
    "day": day.measure,
    "restart": restart.measure,
    "storage": storage.measure,
    "assess": assess.measure,
}
OUT = Path(__file__).parents[2] / "build/bench.json"
ROUNDS = int(os.environ.get("ROUNDS", "5"))

WANTED = {
    "ingest.vs_naive": ">= 40",
    "ingest.vs_mq_bridge": "> 1",
    "ingest.cpu_vs_mosquitto_sub": "<= 1",
    "ingest.readings_per_s": ">= 120000",
    "ingest.commit_p50_ms": "<= 5",
    "ingest.commit_p99_ms": "<= 20",
    "ingest.commit_p99_ms_at_10k": "<= 50",
    "ingest.visible_p99_s": "<= 2",
    "ingest.backlog_rss_mb": "<= 150",
    "ingest.day_backlog_s": "<= 300",
    "ingest.day_fresh_max_s": "<= 30",
    "ingest.restart_s": "<= 5",
    "assess.bins_10k_s": "<= 1",
    "assess.bins_100k_s": "<= 15",
}


def main() -> None:
    """Measure the named parts, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", type=_part, help=f"{', '.join(PARTS)}; default: all, one after the other")
    for name in parser.parse_args().parts or PARTS:
        _measure(name)


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {name}")
    return name


def _measure(name: str) -> None:
    found = PARTS[name](ROUNDS, _tell)
    figures = {figure: round(value, 3) for figure, value in found.figures.items()}
    # What other parts found stays: each may be run alone.
    known = json.loads(OUT.read_text()) if OUT.exists() else {"figures": {}, "samples": {}}
    told = {"figures": known["figures"] | figures, "samples": known["samples"] | {name: found.samples}}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2) + "\n")
    table = Table("figure", "measured", "wanted", title=name)
    for figure, value in figures.items():
        table.add_row(figure, f"{value:,.1f}" if value >= 1000 else f"{value:.3g}", WANTED.get(figure, ""))
    Console().print(table)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress, for people


if __name__ == "__main__":
    try:
        with ending_by_signal():
            main()
    except Ended as ended:
        sys.exit(ended.code)
