"""Which states are worth writing down."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ingest.assess.decisions.due import Due
from ingest.assess.decisions.state import BinState, Prospect
from ingest.assess.store.difference import is_news
from tests.unit.assess.bins import DAY, HOUR, NOW

MINUTE = timedelta(minutes=1)
DUE = Due("ok", "FORECAST", "may_go", 40, NOW, NOW + 10 * HOUR, "Likely to reach 80% by Mon 14:00 (34% to overflow).")
MOMENTS = (NOW + 10 * HOUR, NOW + DAY, NOW + 2 * DAY)
STATE = BinState(0.6, 4, NOW, NOW, NOW - DAY, DUE, Prospect(MOMENTS, MOMENTS, NOW + DAY, 0.34))


def foreseen(minutes: int) -> BinState:
    later = (MOMENTS[0] + minutes * MINUTE, *MOMENTS[1:])
    return replace(STATE, prospect=replace(STATE.prospect, full_at=later))  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("after", "news"),
    [
        (STATE, False),
        (replace(STATE, fill_level=0.61), True),
        (replace(STATE, last_received_at=NOW + MINUTE), True),
        # A twelfth of the ten hours until then is what counts.
        (foreseen(minutes=40), False),
        (foreseen(minutes=60), True),
        (replace(STATE, prospect=None), True),
        # What follows the forecast may move with it, the words may not.
        (replace(STATE, due=replace(DUE, priority=42, explanation=DUE.explanation.replace("34", "35"))), False),
        (replace(STATE, due=replace(DUE, priority=43)), True),
        (replace(STATE, due=replace(DUE, explanation=DUE.explanation.replace("Mon", "Tue"))), True),
        (replace(STATE, due=replace(DUE, due_class="must_go")), True),
        # Nothing of the kind where no forecast decides.
        (replace(STATE, due=replace(DUE, reason="AGE")), True),
    ],
)
def test_what_is_news(after: BinState, news: bool) -> None:
    assert is_news(STATE, after, NOW) == news


def test_first_state_is_news() -> None:
    assert is_news(None, STATE, NOW)
