"""How well the fill at the next known emptying is forecast: Edinburgh's litter bins, summer of 2016.

Nothing is known of these bins but when they were emptied and how full they were then. Everything before SPLIT is for
learning and for choosing parameters; everything from it on is scored, each case forecast from what was known at the
emptying before.
"""

import csv
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ingest.assess.forecasts.cycles import Cycles, reported
from ingest.assess.forecasts.ending import levels_at
from ingest.assess.forecasts.pool import prepare
from ingest.assess.forecasts.profile import HOURS, Clock
from simulator.evaluate import naive
from simulator.evaluate.scores import Evaluation, Floats, Table, Truths, coverage, gain, mae, pinball

ZONE = ZoneInfo("Europe/London")
SPLIT = np.datetime64("2016-07-15", "us")
DAY = np.timedelta64(1, "D")
FILE = "collections_2016.csv"
NOTES = (
    "How strongly past cycles weigh, and how wide a season is, was chosen on the cases before the split, from June 20.",
    "There the mean error was 12.8 points and the interval held 82 %.",
    "First values came from a trial that had seen both sides of the split.",
    "One choice was taken back after a look behind it, before the clock knew the season: half-life 8, not 16 cycles.",
    "Naive forecasts get quantiles of their own errors before the split; the gain is over the best of them.",
)


def evaluate(folder: Path) -> Evaluation:
    """Forecast every emptying from SPLIT on and compare.

    Args:
        folder: holds collections_2016.csv.

    Returns:
        Figures `edinburgh.*`; errors in percent points of the bin.
    """
    cycles = load(folder)
    scored = cycles.ended_at >= SPLIT
    truth = cycles.level_last.astype(np.float64) * 100
    ours = forecast_cycles(cycles, np.flatnonzero(scored)) * 100
    losses = {
        name: naive.losses(made, truth, past=~scored, scored=scored, lowest=0.0, highest=100.0)
        for name, made in _naives(cycles, truth, ~scored).items()
    }
    best_mae, best_pinball = (min(loss[place] for loss in losses.values()) for place in (0, 1))
    loss = pinball(truth[scored], ours)
    figures = {
        "edinburgh.mae_points": mae(truth[scored], ours[:, 1]),
        "edinburgh.naive_mae_points": best_mae,
        "edinburgh.pinball_gain": gain(loss, best_pinball),
        "edinburgh.coverage_80": coverage(truth[scored], ours),
        "edinburgh.cases": float(np.count_nonzero(scored)),
    }
    rows = [("ours", figures["edinburgh.mae_points"], loss), *((name, *loss) for name, loss in losses.items())]
    table = Table("Edinburgh: fill at the next emptying, percent points", ("forecast", "mean error", "pinball"), rows)
    return Evaluation(figures, [table], NOTES)


def load(folder: Path) -> Cycles:
    """Read the emptyings as cycles, sorted by bin; a bin's number is its place among the site ids."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    _, bins = np.unique([int(row["site_id"]) for row in rows], return_inverse=True)
    emptied_at = np.array([row["utc"].removesuffix("Z") for row in rows], dtype="datetime64[us]")
    fill = np.array([float(row["fill_before_pct"]) / 100 for row in rows])
    return reported(bins.astype(np.int64), emptied_at, fill)


def forecast_cycles(cycles: Cycles, places: np.typing.NDArray[np.int64]) -> Floats:
    """Forecast the level at the end of some cycles as the product does, with a pool prepared each midnight.

    Returns:
        p10, p50 and p90, 0..1, shape (places, 3).
    """
    clock = Clock(np.ones((1, HOURS)), ZONE, cycles.began_at.min(), cycles.ended_at.max() + DAY)
    pools = np.zeros(len(cycles), dtype=np.int64)
    asked_at = cycles.began_at[places]
    found = np.empty((len(places), 3))
    for day in np.unique(asked_at.astype("datetime64[D]")):
        today = np.flatnonzero(asked_at.astype("datetime64[D]") == day)
        pool = prepare(cycles, pools, clock, day.astype("datetime64[us]"))
        rows = places[today]
        found[today] = levels_at(
            cycles,
            pool,
            bins=cycles.bin[rows],
            pools=pools[rows],
            emptied_at=cycles.began_at[rows],
            at=cycles.ended_at[rows],
        ).quantiles
    return found


def _naives(cycles: Cycles, truth: Floats, past: Truths) -> dict[str, Floats]:
    """Give the naive forecasts in percent points, shape (cycles,) each."""
    asked, known = (times.astype(np.int64).astype(np.float64) for times in (cycles.began_at, cycles.ended_at))
    days = (cycles.ended_at - cycles.began_at) / DAY
    start = float(np.median(truth[past]))
    rate = naive.walking(
        np.mean, cycles.bin, truth / days, asked, known, start=float(np.mean(truth[past] / days[past]))
    )
    return {
        "constant": naive.constant(truth, past),
        "bin mean": naive.walking(np.mean, cycles.bin, truth, asked, known, start=start),
        "bin median": naive.walking(np.median, cycles.bin, truth, asked, known, start=start),
        "own rate": np.minimum(rate * days, 100.0),
    }
