"""The invented town, whose truth is known: emptyings, forecasts, the due list, and how like a real town it is.

What is scored is what runs: the functions of `ingest.assess` and its `Watch`. Towns that are scored are those of
`seeds.EVALUATION`; everything was tuned on others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.assess.decisions.alerts import NAMES
from simulator.evaluate import foreseen, likeness
from simulator.evaluate.alerted import Alarm, Opened, false_alerts, most_of_one_spell
from simulator.evaluate.emptied import Score, find, score, sight
from simulator.evaluate.online import delays, listen
from simulator.evaluate.scores import Evaluation, Table
from simulator.evaluate.served import Setting, by_list, by_rounds, by_threshold, due
from simulator.faults import ALL, FAULTS, Fault
from simulator.seeds import EVALUATION
from simulator.world import DAY_HOURS, World, make_world

EVERYDAY: dict[Fault, float] = dict.fromkeys(FAULTS, 0.01)
"""Faults of the sensors of a town that is looked after: each in one of a hundred."""
LOSSES = (0.0, 0.1, 0.3)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is looked at.

    Attributes:
        bins: of each town.
        weeks: that emptyings and forecasts are scored over.
        online_weeks: that are heard hour by hour.
        days: that the due list serves.
        losses: shares of lost sensors.
        likeness_towns: how many are compared with Edinburgh.
        futures: how many an oracle tries.
    """

    bins: int = 150
    weeks: int = 8
    online_weeks: int = 3
    days: int = 56
    losses: tuple[float, ...] = LOSSES
    likeness_towns: int = 5
    futures: int = 100


WHOLE = Size()


def evaluate(edinburgh: Path | None, size: Size = WHOLE, tell: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Evaluate on the invented town.

    Args:
        edinburgh: folder that holds collections_2016.csv; None leaves the likeness out.
        size: of it all.
        tell: called with a line as each part begins.

    Returns:
        Figures `city.*`.
    """
    tell("emptyings of the invented town")
    parts = [_emptyings(size)]
    tell("forecasts of the invented town")
    parts.append(foreseen.evaluate(EVALUATION[1], size.bins, size.weeks, EVERYDAY, size.futures))
    tell("due lists of the invented town")
    parts.append(_lists(size))
    if edinburgh is not None:
        parts.append(likeness.evaluate(edinburgh, EVALUATION[: size.likeness_towns]))
    return Evaluation(
        figures={name: value for part in parts for name, value in part.figures.items()},
        tables=[table for part in parts for table in part.tables],
        notes=[note for part in parts for note in part.notes],
    )


def _emptyings(size: Size) -> Evaluation:
    clean, faulty = (_scored(size, faults) for faults in ({}, ALL))
    world = make_world(size.bins, size.online_weeks, EVALUATION[0], ALL)
    alarm = Alarm(world)
    waited = delays(listen(world, size.online_weeks * 7 * DAY_HOURS, alarm.look), world, sight(world))
    alerts = alarm.opened()
    figures = {
        "city.emptying_precision": faulty.precision,
        "city.emptying_recall": faulty.recall,
        "city.emptying_precision_clean": clean.precision,
        "city.emptying_recall_clean": clean.recall,
        "city.emptyings_unseen": float(faulty.unseen),
        "city.emptying_decided_p99_readings": float(np.quantile(waited, 0.99)),
        "city.emptying_decided_most_readings": float(waited.max()),
        "city.alerts": float(len(alerts)),
        "city.false_alerts": len(false_alerts(alerts, world.spells)) / max(1, len(alerts)),
        "city.alerts_of_one_fault": float(most_of_one_spell(alerts, world.spells)),
    }
    rows = [("none", *_counts(clean)), ("all", *_counts(faulty))]
    # Each fault alone, in many sensors, says which of them costs what.
    rows += [(fault, *_counts(_scored(size, {fault: 0.3}))) for fault in (FAULTS if size is WHOLE else ())]
    columns = ("fault", "precision", "recall", "found", "ghosts", "missed", "cannot be seen")
    return Evaluation(figures, [Table("Emptyings found in the invented town", columns, rows), _alerts(alerts, world)])


def _alerts(alerts: list[Opened], world: World) -> Table:
    false = [alert.type for _, alert in false_alerts(alerts, world.spells)]
    types = [alert.type for _, alert in alerts]
    rows = [(NAMES[one], types.count(one), false.count(one)) for one in NAMES if one in types]
    return Table("Alerts in the invented town with all faults", ("alert", "opened", "false"), rows)


def _scored(size: Size, faults: dict[Fault, float]) -> Score:
    # Emptyings are quickly found: more bins make rare mistakes show.
    bins = 2 * size.bins
    world = make_world(bins, size.weeks, EVALUATION[0], faults)
    return score(find(world.telemetry, bins), sight(world))


def _counts(found: Score) -> tuple[float | int, ...]:
    return found.precision, found.recall, found.true, len(found.ghosts), len(found.missed), found.unseen


def _lists(size: Size) -> Evaluation:
    rows: list[tuple[str | float, ...]] = []
    found: list[tuple[float, float, float]] = []
    for lost in size.losses:
        setting = Setting(EVALUATION[2], size.bins, size.days, EVERYDAY, lost)
        rounds, ours = by_rounds(setting), by_list(setting, due)
        level, hours = by_threshold(setting, ours.visits)
        saved = 1 - ours.visits / rounds.visits
        against = [ours.overflow_hours / max(1.0, other) for other in (rounds.overflow_hours, hours)]
        under_half = ours.under_half / max(1, ours.visits)
        found.append((saved, against[0], against[1]))
        rows.append((f"{lost:.0%}", ours.visits, saved, under_half, ours.overflow_hours, *against, level))
    names = ("city.visits_saved", "city.overflow_vs_rounds", "city.overflow_vs_threshold")
    figures = dict(zip(names, found[0], strict=True))
    columns = (
        "sensors lost", "visits", "saved against daily rounds", "under half full", "overflow-hours",
        "against daily rounds", "against a threshold with as many visits", "that threshold",
    )  # fmt: skip
    return Evaluation(figures, [Table("Our due list, morning and noon, over the weeks", columns, rows)])
