"""Writes a comparison down: figures for programs, a table of the bins, and a page for a depot manager."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simulator.evaluate.printing import written
from simulator.shadow.replay import Comparison
from simulator.shadow.service import Service

# So many bins are listed where the list asks for more visits, and where bins overflow most under it.
LISTED = 20
# A bin needs more visits than now when the list comes this much more often.
MORE = 1.1
COLUMNS = (
    "bin", "present_visits", "list_visits", "present_under_half", "list_under_half", "present_overflow_hours",
    "list_overflow_hours", "present_fill", "list_fill", "told_by_readings",
)  # fmt: skip

PAGE = Path(__file__).with_name("page.md")


def figures(found: Comparison) -> dict[str, float]:
    """Name what was found; `present_*` is as it is, `list_*` by the due list."""
    sums = {
        f"{who}_{name}": float(getattr(service, name).sum())
        for who, service in (("present", found.present), ("list", found.ours))
        for name in ("visits", "under_half", "overflow_hours")
    }
    if found.kilometres is not None:
        sums |= {"present_km": found.kilometres[0], "list_km": found.kilometres[1]}
    return {
        "bins": len(found.bins),
        "days": _days(found),
        **sums,
        "visits_saved": 1 - _ratio(sums["list_visits"], sums["present_visits"]),
        "overflow_vs_present": _ratio(sums["list_overflow_hours"], sums["present_overflow_hours"]),
        "bins_needing_more_visits": float(np.count_nonzero(_needs_more(found))),
        "replay_apart": found.check.apart,
        "told_by_readings": float(found.seen.mean()),
        "bins_without_position": found.unlocated,
    }


def bins_csv(found: Comparison) -> str:
    """Write a table with one row a bin, and the columns COLUMNS."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for place, name in enumerate(found.bins):
        cells: list[object] = [name]
        for column in ("visits", "under_half"):
            cells += [int(getattr(service, column)[place]) for service in (found.present, found.ours)]
        for column, digits in (("overflow_hours", 1), ("fill", 2)):
            cells += [_plain(getattr(service, column)[place], digits) for service in (found.present, found.ours)]
        table.writerow([*cells, _plain(found.seen[place], 2)])
    return text.getvalue()


def page(found: Comparison, roads: str) -> str:
    """Write the page for a depot manager, in Markdown; `roads` says where kilometres come from."""
    told = figures(found)
    return PAGE.read_text(encoding="utf-8").format(
        bins=f"{len(found.bins):,}",
        begin=f"{found.begin:%d %B %Y}",
        end=f"{found.end:%d %B %Y}",
        days=told["days"],
        table=_summary(found, told),
        words=_words(told),
        more=_more(found),
        worst=_worst(found),
        reasons=_table(("reason", "visits"), list(found.reasons.items())) if found.reasons else "It was always empty.",
        seen=told["told_by_readings"],
        checked=found.check.visits,
        apart=written(found.check.apart * 100),
        unseen=found.check.unseen,
        unwritten=found.check.unwritten,
        roads=roads,
    )


def _summary(found: Comparison, told: dict[str, float]) -> str:
    names = {
        "visits": "visits",
        "under_half": "of these, bins less than half full",
        "overflow_hours": "hours that bins were full, all together",
    }
    if found.kilometres is not None:
        names["km"] = "kilometres"
    rows = [
        (words, told[f"present_{name}"], told[f"list_{name}"], _change(told[f"present_{name}"], told[f"list_{name}"]))
        for name, words in names.items()
    ]
    return _table(("", "present rounds", "due list", "change"), [(a, round(b), round(c), d) for a, b, c, d in rows])


def _words(told: dict[str, float]) -> str:
    if not told["present_visits"]:
        return f"No visit of the present rounds falls into this time; the due list makes {told['list_visits']:,.0f}."
    saved, overflow = told["visits_saved"], told["list_overflow_hours"] - told["present_overflow_hours"]
    visits = f"{abs(saved):.0%} {'fewer' if saved >= 0 else 'more'} visits"
    hours = f"{abs(overflow):,.0f} {'more' if overflow > 0 else 'fewer'} hours of full bins"
    join = "but" if (saved >= 0) == (overflow > 0) else "and"
    return f"The due list would have meant {visits}, {join} {hours}."


def _needs_more(found: Comparison) -> np.typing.NDArray[np.bool_]:
    more: np.typing.NDArray[np.bool_] = found.ours.visits > MORE * found.present.visits
    return more


def _more(found: Comparison) -> str:
    places = np.flatnonzero(_needs_more(found))
    if not len(places):
        return "None: no bin comes up more often than it is emptied now."
    order = places[np.argsort(found.present.visits[places] - found.ours.visits[places], kind="stable")]
    told = f"{len(places):,} of {len(found.bins):,} bins come up more often than they are emptied now"
    return f"{told}{_most(len(places))}.\n\n{_bins(found, order[:LISTED].tolist())}"


def _worst(found: Comparison) -> str:
    hours = found.ours.overflow_hours
    order = [place for place in np.argsort(-hours, kind="stable")[:LISTED].tolist() if hours[place] > 0]
    return _bins(found, order) if order else "Nowhere."


def _bins(found: Comparison, places: Sequence[int]) -> str:
    def cells(service: Service, place: int) -> tuple[int, int]:
        return int(service.visits[place]), round(float(service.overflow_hours[place]))

    rows = []
    for place in places:
        (now, now_full), (then, then_full) = cells(found.present, place), cells(found.ours, place)
        rows.append((found.bins[place], now, then, now_full, then_full))
    return _table(("bin", "visits now", "visits by the list", "hours full now", "hours full by the list"), rows)


def _most(count: int) -> str:
    return f"; these {LISTED} most" if count > LISTED else ""


def _table(columns: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *([written(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _change(before: float, after: float) -> str:
    return f"{after / before - 1:+.0%}" if before else "-"


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _plain(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _days(found: Comparison) -> float:
    return (found.end - found.begin).total_seconds() / 86_400
