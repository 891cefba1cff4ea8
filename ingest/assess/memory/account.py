"""What the readings of some bins say, worked out for all of them at once. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest.assess.forecasts.cycles import Cycles, cut
from ingest.assess.levels.findings import Findings, with_levels
from ingest.assess.levels.readings import Floats, Integers, Series, Times
from ingest.assess.levels.tracks import Voice, combine
from ingest.assess.memory import tail
from ingest.assess.memory.ragged import Rows, ramps


@dataclass(frozen=True, slots=True)
class Account:
    """What the readings of some bins say.

    Attributes:
        findings: one a bin.
        cycles: of all bins; `bin` is the place of the bin among them.
        measured_at: of all readings, one track after another.
        levels: of the same, NaN where rejected.
        spans: where the readings of the track start and end that speaks for each bin, shape (bins, 2).
    """

    findings: list[Findings]
    cycles: Cycles
    measured_at: Times
    levels: Floats
    spans: Integers

    def believed(self, place: int) -> tuple[Times, Floats]:
        """Give when the sensor of one of the bins measured what can be believed, and the levels."""
        span = slice(*self.spans[place].tolist())
        known = ~np.isnan(self.levels[span])
        return self.measured_at[span][known], self.levels[span][known]


def take_account(
    rows: Rows, starts: Integers, thresholds: Floats, anchored_at: Times, removed: Collection[int]
) -> Account:
    """Work out what readings say.

    Args:
        rows: of one bin after another, each in order.
        starts: where each bin's rows start, shape (bins + 1,).
        thresholds: level 0..1 from which each bin is full, shape (bins,).
        anchored_at: an emptying of each bin that stands, shape (bins,); NaT for none. Only cycles since then are given.
        removed: fittings whose sensor is no longer in its bin.
    """
    if not len(rows):
        nothing = np.zeros((len(thresholds), 2), dtype=np.int64)
        return Account([Findings()] * len(thresholds), Cycles.empty(), rows["measured_at"], np.zeros(0), nothing)
    laid, track_starts, bins = tail.parts(rows, starts)
    series, geometry = tail.series(laid, track_starts), tail.geometry(laid)
    found, levels = with_levels(series, geometry, thresholds[bins])
    newest = laid[track_starts[1:] - 1]
    findings, leading = _together(found, bins, newest, len(thresholds), removed)
    cycles = _cycles(series, levels, findings, leading, anchored_at)
    spans = np.where(leading[:, None] < 0, 0, np.stack([track_starts[leading], track_starts[leading + 1]], axis=1))
    return Account(findings, cycles, series.measured_at, levels, spans)


def _together(
    found: Sequence[Findings], bins: Integers, newest: Rows, count: int, removed: Collection[int]
) -> tuple[list[Findings], Integers]:
    """Give what each bin's sensors say together, and the track that its cycles are taken from, -1 for none."""
    findings, leading = [Findings()] * count, np.full(count, -1, dtype=np.int64)
    firsts = np.flatnonzero(np.diff(bins, prepend=-1))
    for first, end in pairwise([*firsts.tolist(), len(bins)]):
        number = int(bins[first])
        if end - first == 1:
            findings[number] = found[first]
            leading[number] = first
        else:
            running = [int(fitting) not in removed for fitting in newest["fitting_id"][first:end]]
            findings[number] = combine([Voice(*one) for one in zip(found[first:end], running, strict=True)])
            # The sensor that was heard last, among those that are still there.
            heard = sorted(range(first, end), key=lambda track: (running[track - first], newest["measured_at"][track]))
            leading[number] = heard[-1]
    return findings, leading


def _cycles(
    series: Series, levels: Floats, findings: Sequence[Findings], leading: Integers, anchored_at: Times
) -> Cycles:
    """Cut the levels of each bin's leading track into cycles, from its anchor on: what lies before it is settled."""
    used = np.flatnonzero(leading >= 0)
    tracks, since = leading[used], anchored_at[used]
    anchors = np.full(series.track_count, np.datetime64("NaT", "us"))
    anchors[tracks] = since
    track = series.track
    settled = np.bincount(track[series.measured_at < anchors[track]], minlength=series.track_count)[tracks]
    places, starts = ramps(series.starts[tracks] + settled, np.diff(series.starts)[tracks] - settled)
    anchored = np.flatnonzero(~np.isnat(since))
    seen = [(track, one.emptied_at) for track, bin_ in enumerate(used.tolist()) for one in findings[bin_].emptyings]
    return cut(
        series.measured_at[places],
        levels[places],
        starts,
        bins=used,
        emptied_track=np.concatenate([anchored, np.array([track for track, _ in seen], dtype=np.int64)]),
        emptied_at=np.concatenate([since[anchored], np.array([at for _, at in seen], dtype="datetime64[us]")]),
    )
