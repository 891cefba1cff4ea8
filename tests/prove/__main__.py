"""`python -m tests.prove`: what takes too long for `make test`, as figures in `build/prove.json`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from simulator.stack.ending import Ended, ending_by_signal
from tests.chaos import crash_points, faults, fuzz
from tests.integration.ingest import histories

Proof = Callable[[Callable[[str], None]], tuple[dict[str, float], bool]]
"""Takes somebody to tell, gives its figures and whether they are as they should be."""

PROOFS: dict[str, Proof] = {
    "crash_points": crash_points.prove,
    "faults": faults.prove,
    "fuzz": fuzz.prove,
    "histories": histories.prove,
}
OUT = Path(__file__).parents[2] / "build/prove.json"


def main() -> int:
    """Run one proof or all; 1 when one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("proof", nargs="?", choices=sorted(PROOFS), help="default: all, one after the other")
    given = parser.parse_args()
    outcomes = [_run(name) for name in ([given.proof] if given.proof else PROOFS)]
    return 0 if all(outcomes) else 1


def _run(name: str) -> bool:
    figures, holds = PROOFS[name](typer.echo)
    # The figures of other proofs stay: each may be run alone.
    known = json.loads(OUT.read_text())["figures"] if OUT.exists() else {}
    others = {figure: value for figure, value in known.items() if not figure.startswith(f"{name}.")}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"figures": others | figures}, indent=2) + "\n")
    for figure, value in figures.items():
        typer.echo(f"{figure:<28} {value:>10g}")
    return holds


if __name__ == "__main__":
    try:
        with ending_by_signal():
            code = main()
    except Ended as ended:
        code = ended.code
    sys.exit(code)
