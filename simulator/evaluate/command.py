"""`python -m simulator evaluate`: tells people on the terminal, and programs in JSON."""

import sys
from pathlib import Path

from rich.console import Console

from simulator.evaluate.columns import FileError
from simulator.evaluate.dataset import Request, evaluate_dataset
from simulator.evaluate.printing import as_json, show, write_whole


def run_dataset(request: Request, out: Path | None) -> int:
    """Evaluate a data set; JSON goes to `out`, else to the standard output, and everything for people to stderr.

    Returns:
        The exit code: 1 where a file cannot be used.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        evaluation = evaluate_dataset(request, lambda line: console.print(line, markup=False))
        text = as_json(evaluation.figures)
        if out is None:
            sys.stdout.write(text)
        else:
            write_whole(out, text)
    except (FileError, OSError) as error:
        console.print(str(error), markup=False)
        return 1
    show(evaluation, console)
    return 0
