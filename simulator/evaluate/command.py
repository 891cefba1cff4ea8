"""`python -m simulator evaluate`: tells people on the terminal, and programs in JSON."""

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from simulator.evaluate.columns import FileError
from simulator.evaluate.dataset import Request, evaluate_dataset
from simulator.evaluate.document import DOCUMENT, KEPT, kept, write_document
from simulator.evaluate.parts import PARTS, ROOT, WANTED
from simulator.evaluate.printing import as_json, show, write_whole
from simulator.evaluate.scores import Evaluation

OUT = ROOT / "build" / "evaluate.json"


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


def run_parts(only: Sequence[str], data: Path, out: Path = OUT) -> int:
    """Evaluate the product on real data and on the invented town, and write figures and document.

    Figures of parts that were not asked for, or whose data are not here, stay as they were.

    Args:
        only: names of parts; empty for all.
        data: folder with real data.
        out: file for the figures.

    Returns:
        The exit code: 1 where a package is missing, or the data of all parts that were asked for.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if find_spec("matplotlib") is None:
        console.print("The plots need the package matplotlib: pip install matplotlib, or make setup-test.")
        return 1
    fresh: dict[str, Evaluation] = {}
    for name, part in PARTS.items():
        if only and name not in only:
            continue
        if part.file is not None and not (data / part.file).is_file():
            console.print(f"{part.title}: left out, because {data / part.file} is not here.", markup=False)
            continue
        console.print(f"{part.title} ...", markup=False)
        fresh[name] = part.run(data, lambda line: console.print(f"  {line}", markup=False))
        show(fresh[name], console, WANTED)
    if not fresh:
        return 1
    known = json.loads(out.read_text(encoding="utf-8"))["figures"] if out.exists() else {}
    new = {name: value for one in fresh.values() for name, value in one.figures.items()}
    write_whole(out, as_json(known | new))
    every = {name: one for name in PARTS if (one := (kept(KEPT) | fresh).get(name)) is not None}
    if len(every) < len(PARTS):
        missing = ", ".join(PARTS[name].title for name in PARTS if name not in every)
        console.print(f"{DOCUMENT} stays as it is: nothing is known of {missing}.", markup=False)
        return 0
    write_document(every)
    console.print(f"Written: {out}, {DOCUMENT}.", markup=False)
    return 0
