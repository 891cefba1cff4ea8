"""`python -m tests.chaos`: random power cuts of devices, broker, database and ingester, judged by the devices' ledgers.

It is here and not in the simulator because it starts, kills and judges all the parts, which only tests may know.
"""

import argparse
import json
import math
import statistics
import sys
from pathlib import Path

import typer

from simulator.stack.ending import Ended, ending_by_signal
from tests.chaos.run import Outcome, Plan, Run
from tests.chaos.stack import ROOT, Stack

OUT = ROOT / "build/chaos.json"


def main() -> int:
    """Run as the command line says; 1 when anything was lost, duplicated or altered."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readings", type=int, default=10_000, help="at least so many")
    given = parser.parse_args()
    plan = Plan(seed=given.seed, kills=given.kills, readings=given.readings)
    with Stack() as stack:
        outcome = Run(stack, plan, typer.echo).go()
    report(outcome, plan, OUT)
    return 0 if is_clean(outcome) else 1


def is_clean(outcome: Outcome) -> bool:
    """Whether every reading is where it belongs, and every device knows."""
    return outcome.verdict.clean and not outcome.unacknowledged and not outcome.mistakes


def figures(outcome: Outcome) -> dict[str, float]:
    """Give the figures of a run by name."""
    verdict, seconds = outcome.verdict, sorted(recovery.seconds for recovery in outcome.recoveries)
    restarts = [recovery.seconds for recovery in outcome.recoveries if recovery.part == "ingester"]
    found: dict[str, float] = {
        "chaos.kills": len(seconds),
        "chaos.readings": verdict.readings,
        "chaos.lost": verdict.lost,
        "chaos.duplicated": verdict.duplicated,
        "chaos.altered": verdict.altered,
        "chaos.rejected": verdict.rejected,
        "chaos.unacknowledged": outcome.unacknowledged,
        "chaos.recovery_p50_s": statistics.median(seconds),
        "chaos.recovery_p95_s": seconds[math.ceil(0.95 * len(seconds)) - 1],
        "chaos.recovery_max_s": seconds[-1],
        "chaos.duration_s": outcome.seconds,
    }
    # The worst, not a usual one.
    return found | ({"ingest.restart_s": max(restarts)} if restarts else {})


def report(outcome: Outcome, plan: Plan, path: Path) -> None:
    """Write the figures to a file, and print them."""
    named = {name: round(value, 3) for name, value in figures(outcome).items()}
    kills = [
        {"part": kill.part, "name": kill.name, "recovery_s": round(kill.seconds, 3)} for kill in outcome.recoveries
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"figures": named, "seed": plan.seed, "devices": plan.devices, "boards": plan.boards, "kills": kills}
    path.write_text(json.dumps(told, indent=2) + "\n")
    for name, value in named.items():
        typer.echo(f"{name:<24} {value:>10g}")


if __name__ == "__main__":
    try:
        with ending_by_signal():
            code = main()
    except Ended as ended:
        code = ended.code
    sys.exit(code)
