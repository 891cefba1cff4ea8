"""The parts of `make evaluate`: what each needs, and what its figures should be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from simulator.evaluate.scores import Evaluation

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
"""Where real data lie beside a checkout; none of them is part of it."""

WANTED = {
    "edinburgh.mae_points": "<= 13",
    "edinburgh.pinball_gain": ">= 0.18",
    "edinburgh.coverage_80": "0.78 to 0.88",
    "wyndham.mae_days": "<= 2",
    "wyndham.pinball_gain": ">= 0.15",
    "wyndham.brier_3d": "<= 0.15",
    "wyndham.coverage_80": "0.75 to 0.85",
    "wyndham.due_flag_disagreements": "0",
    "city.pinball_gain": ">= 0.2",
    "city.emptying_precision": ">= 0.99",
    "city.emptying_recall": ">= 0.99",
    "city.emptying_precision_clean": "1",
    "city.emptying_recall_clean": "1",
    "city.emptying_decided_p99_readings": "<= 4",
    "city.likeness_worst": "<= 0.1",
    "city.visits_saved": ">= 0.4",
    "city.overflow_vs_rounds": "<= 1",
    "city.overflow_vs_threshold": "<= 0.8",
    "city.false_alerts": "<= 0.02",
    "city.alerts_of_one_fault": "<= 1",
    "city.forecasts_without_interval": "0",
}


Tell = Callable[[str], None]
"""Takes a line for people."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        title: for people.
        file: under the data folder; the part is left out where it is not there. None where it can do without.
        run: evaluates; takes the data folder, and what hears how far it is.
    """

    title: str
    file: str | None
    run: Callable[[Path, Tell], Evaluation]


def _edinburgh(data: Path, _: Tell) -> Evaluation:
    from simulator.evaluate.edinburgh import evaluate  # noqa: PLC0415 - only what is asked for is loaded

    return evaluate(data / "edinburgh")


def _wyndham(data: Path, _: Tell) -> Evaluation:
    from simulator.evaluate.wyndham import evaluate  # noqa: PLC0415 - see above

    return evaluate(data / "wyndham")


def _city(data: Path, tell: Tell) -> Evaluation:
    from simulator.evaluate.town import evaluate  # noqa: PLC0415 - see above

    # How like a real town it is can only be said where the real one is at hand.
    return evaluate(data / "edinburgh" if (data / EDINBURGH).is_file() else None, tell=tell)


EDINBURGH = "edinburgh/collections_2016.csv"
PARTS: Mapping[str, Part] = {
    "edinburgh": Part("Edinburgh's litter bins", EDINBURGH, _edinburgh),
    "wyndham": Part("Wyndham's compacting bins", "wyndham/daily_2018_2021.csv", _wyndham),
    "city": Part("the invented town", None, _city),
}


def holds(value: float, wanted: str) -> bool:
    """Say whether a figure is as wanted: `<= 2`, `>= 0.5`, `0.7 to 0.8` or `0`."""
    if " to " in wanted:
        low, high = (float(bound) for bound in wanted.split(" to "))
        return low <= value <= high
    sign, _, bound = wanted.rpartition(" ")
    limit = float(bound)
    return {"<=": value <= limit, ">=": value >= limit, "": value == limit}[sign]
