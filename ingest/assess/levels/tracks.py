"""Several sensors in one bin: whose readings belong together, and what all of them say of the bin. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.assess.levels.emptying import Emptying
from ingest.assess.levels.findings import Findings
from ingest.assess.levels.readings import Integers, Times

# A sensor that is further behind its neighbours than this no longer says how full the bin is.
BEHIND = np.timedelta64(24, "h")


@dataclass(frozen=True, slots=True)
class Voice:
    """What one sensor, or one after another in its place, says; `running` while one of them still sits in the bin."""

    findings: Findings
    running: bool


def tracks(fitting_ids: Integers, measured_at: Times) -> list[Integers]:
    """Part one bin's readings, oldest first, so that no part mixes sensors that measured at the same time.

    A sensor that follows another, or the same one calibrated anew, goes on in its place.

    Args:
        fitting_ids: of each reading, shape (n,).
        measured_at: of each reading, shape (n,).

    Returns:
        The places of each part's readings, ascending; one part where never two sensors measured at a time.
    """
    ids, firsts = np.unique(fitting_ids, return_index=True)
    parts: list[list[Integers]] = []
    for fitting_id in ids[np.argsort(firsts, kind="stable")]:
        places = np.flatnonzero(fitting_ids == fitting_id)
        free = (part for part in parts if measured_at[part[-1][-1]] <= measured_at[places[0]])
        part = next(free, None)
        if part is None:
            parts.append([places])
        else:
            part.append(places)
    return [np.concatenate(part) for part in parts]


def combine(voices: Sequence[Voice]) -> Findings:
    """Say of a bin what its sensors say together: it is as full as the fullest of them says.

    A sensor that is no longer in the bin, or far behind the others, only counts for the emptyings that it saw. One that
    cannot be believed leaves the word to the others.

    Args:
        voices: one at least.
    """
    if len(voices) == 1:
        return voices[0].findings
    heard = _heard(voices)
    leader = max(heard, key=lambda one: (one.rejected_count == 0, -1.0 if one.level is None else one.level))
    hot = max((one for one in heard if one.hot_since), key=lambda one: one.temperature_c or 0.0, default=leader)
    tilted = [one.tilted_since for one in heard if one.tilted_since]
    return replace(
        leader,
        hot_since=hot.hot_since,
        temperature_c=hot.temperature_c,
        tilted_since=min(tilted, default=None),
        emptyings=_merged([one for voice in voices for one in voice.findings.emptyings]),
    )


def _heard(voices: Sequence[Voice]) -> list[Findings]:
    known = [voice for voice in voices if voice.findings.newest_at is not None]
    running = [voice.findings for voice in known if voice.running] or [voice.findings for voice in known]
    newest = max(one.newest_at for one in running if one.newest_at is not None)
    return [one for one in running if one.newest_at is not None and newest - one.newest_at <= BEHIND.item()]


def _merged(emptyings: Sequence[Emptying]) -> tuple[Emptying, ...]:
    """Take emptyings whose windows overlap for one: several sensors saw it."""
    merged: list[Emptying] = []
    for one in sorted(emptyings, key=lambda one: (one.emptied_at, one.not_before)):
        last = merged[-1] if merged else None
        if last is None or one.not_before >= last.emptied_at:
            merged.append(one)
        else:
            merged[-1] = Emptying(
                not_before=max(last.not_before, one.not_before),
                emptied_at=last.emptied_at,
                fill_before=max(last.fill_before, one.fill_before),
                fill_after=max(last.fill_after, one.fill_after),
                confidence=max(last.confidence, one.confidence),
            )
    return tuple(merged)
