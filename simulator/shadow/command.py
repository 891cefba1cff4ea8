"""`python -m simulator shadow`: compares, and writes the folder with the outcome."""

from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from simulator.evaluate.columns import FileError
from simulator.evaluate.printing import as_json, show, write_whole
from simulator.evaluate.scores import Evaluation
from simulator.shadow.replay import Comparison, Request, compare_services
from simulator.shadow.report import bins_csv, figures, page


def run_shadow(request: Request, out: Path) -> int:
    """Compare, and write shadow.json, bins.csv and report.md into `out`.

    Returns:
        The exit code: 1 where a file cannot be used, or a package is missing.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if request.bins is not None and find_spec("pyvrp") is None:
        console.print("Kilometres need the package pyvrp (pip install pyvrp); without --bins there are none.")
        return 1
    try:
        found = compare_services(request, lambda line: console.print(line, markup=False))
        told = figures(found)
        write_whole(out / "shadow.json", as_json(told))
        write_whole(out / "bins.csv", bins_csv(found))
        write_whole(out / "report.md", page(found, _roads(request, found)))
    except (FileError, OSError) as error:
        console.print(str(error), markup=False)
        return 1
    show(Evaluation(told), console)
    console.print(f"Written: {out / 'report.md'}, {out / 'bins.csv'}, {out / 'shadow.json'}.", markup=False)
    return 0


def _roads(request: Request, found: Comparison) -> str:
    if found.kilometres is None:
        return "There are no kilometres: `--bins` with positions would give them."
    how = (
        f"the straight line times {request.factor:g}" if request.matrix is None else f"the matrix {request.matrix.name}"
    )
    depot = "" if request.depots else ", which is taken to lie amid its bins"
    missing = f" {found.unlocated:,} bins have no position; the way to them is not counted." if found.unlocated else ""
    return (
        f"Kilometres: {how}; each day's visits are one tour from the depot{depot} and back, found by PyVRP; a bin "
        f"visited twice on a day is on two tours.{missing}"
    )
