"""Weighted events of many bins side by side: their quantiles, and the chance that the next one comes in time. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.assess.forecasts.cycles import Truths
from ingest.assess.levels.readings import Floats, Times


def quantiles(values: Floats, weights: Floats, levels: Sequence[float] | Floats) -> Floats:
    """Give weighted quantiles, each interpolated between the middles of the events beside it.

    Args:
        values: of the events of each row, shape (rows, events); infinite is later than all.
        weights: 0 and up, shape (rows, events).
        levels: 0..1 ascending, shape (levels,), or one set a row, shape (rows, levels).

    Returns:
        Shape (rows, levels), never falling; NaN where a row has no weight.
    """
    # Events without weight must not be landed on: they go to the end, and stand for the last one that has some.
    order = np.argsort(np.where(weights > 0, values, np.inf), axis=1)
    ordered, weight = _in_order(order, values, weights)
    last = np.maximum(np.count_nonzero(weight > 0, axis=1, keepdims=True) - 1, 0)
    total = weight.sum(axis=1, keepdims=True)
    middle = np.cumsum(weight, axis=1) - weight / 2
    wanted = np.broadcast_to(np.asarray(levels), (len(values), np.shape(levels)[-1])) * total
    places = [np.count_nonzero(middle < aim[:, None], axis=1) for aim in wanted.T]
    upper = np.minimum(np.stack(places, axis=1), values.shape[1] - 1)
    lower = np.maximum(upper - 1, 0)
    first = np.arange(len(values))[:, None] * values.shape[1]
    below, above = (ordered.take(first + np.minimum(place, last)) for place in (lower, upper))
    left, right = (middle.take(first + place) for place in (lower, upper))
    share = np.clip((wanted - left) / np.maximum(right - left, 1e-12), 0.0, 1.0)
    with np.errstate(invalid="ignore"):
        between = np.where(share <= 0, below, below + share * (above - below))
    found = np.where(np.isnan(between), np.inf, between)
    return np.where(total > 0, found, np.nan)


def uncensored(values: Floats, weights: Floats, censored: Truths) -> tuple[Floats, Floats]:
    """Share out the weight of censored events over the later ones, as Kaplan and Meier do (JASA 53, 1958, 457-481).

    Args:
        values: when each event came, or until when it had not, shape (rows, events).
        weights: 0 and up, shape (rows, events).
        censored: whether it had not come, shape (rows, events).

    Returns:
        Values and weights, ascending, with one more event a row, at infinity, that holds what nobody can know. Weights
        sum to 1 in a row, or are all 0.
    """
    # At the same instant, what came counts before what was cut off.
    order = np.argsort(np.where(censored, np.nextafter(values, np.inf), values), axis=1)
    ordered, weight, came = _in_order(order, values, weights, ~censored)
    total = weight.sum(axis=1, keepdims=True)
    at_risk = total - np.cumsum(weight, axis=1) + weight
    hazard = np.where(came & (at_risk > 0), weight / np.maximum(at_risk, 1e-300), 0.0)
    after = np.cumprod(1.0 - np.minimum(hazard, 1.0), axis=1)
    before = np.concatenate([np.ones_like(total), after[:, :-1]], axis=1)
    rest = np.where(total > 0, after[:, -1:], 0.0)
    never = np.full_like(total, np.inf)
    return np.concatenate([ordered, never], axis=1), np.concatenate([(before - after) * (total > 0), rest], axis=1)


def uncensored_quantiles(values: Floats, weights: Floats, censored: Truths, levels: Sequence[float] | Floats) -> Floats:
    """Give quantiles as `quantiles` does, with the weight of censored events shared out over the later ones.

    What is censored beyond all that came counts as coming with the last of all (Efron, Berkeley Symposium 5, 1967).
    """
    ordered, weight = uncensored(values, weights, censored)
    ordered[:, -1] = values.max(axis=1)
    return quantiles(ordered, weight, levels)


def first_at(values: Floats, weights: Floats, chances: Sequence[float] | Floats) -> Floats:
    """Give the first value by which each chance is reached, shape (rows, chances); infinite where it never is.

    Args:
        values: ascending in each row, as `uncensored` gives them, shape (rows, events).
        weights: of each, shape (rows, events).
        chances: 0..1, shape (chances,).
    """
    # Event by event: so numpy compares and counts many rows in one go.
    reached = np.ascontiguousarray(np.cumsum(weights, axis=1).T)
    total = reached[-1]
    places = [(reached < chance * total - 1e-9).sum(axis=0, dtype=np.int32) for chance in chances]
    found = np.take_along_axis(values, np.minimum(np.stack(places, axis=1), values.shape[1] - 1), axis=1)
    return np.where(total[:, None] > 0, found, np.nan)


def _in_order(order: npt.NDArray[np.intp], *columns: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Bring the events of each row in an order; all of shape (rows, events). `take_along_axis` takes twice as long."""
    places = order + np.arange(len(order))[:, None] * order.shape[1]
    return [column.ravel().take(places) for column in columns]


def chance_below(instants: Times, moments: Times, chances: Floats) -> Floats:
    """Say how much of each row has come by its moment; the inverse of `first_at`.

    Args:
        instants: of each of the chances, ascending, shape (rows, chances); NaT where it is never reached.
        moments: shape (rows,).
        chances: ascending, shape (chances,).

    Returns:
        0..1, shape (rows,); nothing is said above the last chance that is reached.
    """
    never = np.datetime64(np.iinfo(np.int64).max, "us")
    known = np.where(np.isnat(instants), never, instants)
    upper = np.count_nonzero(known <= moments[:, None], axis=1)
    padded = np.concatenate([[0.0], chances])
    after = np.take_along_axis(known, np.minimum(upper, len(chances) - 1)[:, None], axis=1)[:, 0]
    before = np.take_along_axis(known, np.maximum(upper - 1, 0)[:, None], axis=1)[:, 0]
    between = (upper > 0) & (upper < len(chances)) & (after != never)
    span = np.where(between, after - before, np.timedelta64(1, "us")) / np.timedelta64(1, "us")
    gone = np.where(between, moments - before, np.timedelta64(0, "us")) / np.timedelta64(1, "us")
    step = np.append(np.diff(padded), 0.0)
    chance: Floats = padded[upper] + np.clip(gone / np.maximum(span, 1.0), 0.0, 1.0) * step[upper]
    return chance
