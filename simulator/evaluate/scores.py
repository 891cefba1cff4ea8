"""How good forecasts are: the scores that every evaluation uses, and the shape of its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

LEVELS = np.array([0.1, 0.5, 0.9])
"""The quantiles that every forecast gives: p10, p50, p90."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people.

    Attributes:
        title: one line.
        columns: their headings.
        rows: cells, as they shall stand.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | int]]


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over one common axis.

    Attributes:
        name: of its file, without ending.
        title: one line.
        x: what the axis below says.
        y: what the axis on the left says.
        lines: for each label its points' x and y, both of one length.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation found.

    Attributes:
        figures: by name, such as `edinburgh.mae_points`.
        tables: for the document.
        notes: sentences that a reader needs beside them.
        plots: for the document.
    """

    figures: dict[str, float]
    tables: Sequence[Table] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    plots: Sequence[Plot] = ()


def mae(truth: Floats, forecast: Floats) -> float:
    """Give the mean absolute error, in the unit of both; shapes (n,)."""
    return float(np.abs(truth - forecast).mean())


def pinball(truth: Floats, quantiles: Floats, levels: Floats = LEVELS) -> float:
    """Give the mean pinball loss over all quantiles (Koenker and Bassett, Econometrica 46, 1978), lower is better.

    Args:
        truth: shape (n,).
        quantiles: shape (n, levels).
        levels: of the quantiles, 0..1, shape (levels,).
    """
    over = truth[:, None] - quantiles
    return float(np.maximum(levels * over, (levels - 1.0) * over).mean())


def coverage(truth: Floats, quantiles: Floats) -> float:
    """Give the share of truths within the outermost quantiles, borders included; shapes (n,) and (n, levels)."""
    return float(((truth >= quantiles[:, 0]) & (truth <= quantiles[:, -1])).mean())


def gain(loss: float, naive_loss: float) -> float:
    """Say by which share a loss is lower than that of a naive forecast: 0 is as good, 1 is perfect."""
    return 1.0 - loss / naive_loss


def brier(chance: Floats, waited: Floats, came: Truths, horizon: float) -> float:
    """Give the Brier score of "it comes within the horizon" over the cases whose answer is known.

    A case that was cut off within the horizon, before it came, has no answer and is left out. That makes the cases that
    come look more frequent than they are; `weighted_brier` mends that.

    Args:
        chance: forecast that it comes within the horizon, shape (n,).
        waited: until it came or was cut off, shape (n,).
        came: whether it came, shape (n,).
        horizon: in the unit of `waited`.
    """
    outcome = came & (waited <= horizon)
    known = outcome | (waited >= horizon)
    return float(((chance - outcome)[known] ** 2).mean())


def weighted_brier(chance: Floats, waited: Floats, came: Truths, horizon: float) -> float:
    """Give the Brier score under censoring of Graf, Schmoor, Sauerbrei and Schumacher (Statist. Med. 18, 1999, 2529).

    Each case with an answer stands for those like it that were cut off: its weight is the inverse of the chance not to
    be cut off until then, as Kaplan and Meier estimate it from all cases.

    Args:
        chance: forecast that it comes within the horizon, shape (n,).
        waited: until it came or was cut off, shape (n,).
        came: whether it came, shape (n,).
        horizon: in the unit of `waited`.
    """
    times, kept = _uncut(waited, came)
    outcome = came & (waited <= horizon)
    known = outcome | (waited >= horizon)
    places = np.searchsorted(times, np.minimum(waited, horizon), side="left")
    weight = np.where(known, 1.0 / np.maximum(kept[places], 1e-9), 0.0)
    return float((weight * (chance - outcome) ** 2).sum() / len(chance))


def _uncut(waited: Floats, came: Truths) -> tuple[Floats, Floats]:
    """Estimate the chance not to be cut off until after each of the times at which one was; 1 before the first."""
    times = np.unique(waited[~came])
    at_risk = len(waited) - np.searchsorted(np.sort(waited), times, side="left")
    cut = np.bincount(np.searchsorted(times, waited[~came]), minlength=len(times))
    return times, np.concatenate([[1.0], np.cumprod(1.0 - cut / np.maximum(at_risk, 1))])
