"""Rows of many bins in one array are what they would be in a list for each."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.assess.memory.ragged import Ragged

KIND = np.dtype([("value", "i4")])
BINS = 4
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["append", "put", "drop_first", "drop_last"]),
        st.lists(st.integers(0, 9), min_size=BINS, max_size=BINS),
    ),
    max_size=30,
)


@given(STEPS)
def test_ragged_is_a_list_of_lists(steps: list[tuple[str, list[int]]]) -> None:
    ragged, wanted = Ragged(KIND), [[] for _ in range(BINS)]  # type: ignore[var-annotated]
    ragged.widen(BINS)
    everyone, value = np.arange(BINS), 0
    for step, counts in steps:
        if step in {"append", "put"}:
            rows = np.arange(value, value + sum(counts))
            value += sum(counts)
            starts = np.concatenate([[0], np.cumsum(counts)])
            getattr(ragged, step)(everyone, rows.astype("i4").view(KIND), starts)
            more = [rows[first:end].tolist() for first, end in pairwise(starts)]
            wanted = more if step == "put" else [old + new for old, new in zip(wanted, more, strict=True)]
        else:
            dropped = np.minimum(counts, ragged.counts)
            getattr(ragged, step)(everyone, dropped)
            ends = [len(old) - count for old, count in zip(wanted, dropped.tolist(), strict=True)]
            wanted = [
                old[:end] if step == "drop_last" else old[len(old) - end :]
                for old, end in zip(wanted, ends, strict=True)
            ]

        rows, starts = ragged.get(everyone)
        assert [part["value"].tolist() for part in np.split(rows, starts[1:-1])] == wanted
