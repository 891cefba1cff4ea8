"""Database and broker are in trouble for a moment; `make prove` lets each trouble last, and has slower ones besides."""

from collections.abc import Iterator

import pytest

from tests.chaos.disk import NoMountsError
from tests.chaos.endurance import Endurance
from tests.chaos.faults import FAULTS, MEMORY_LIMIT_MB, Fault
from tests.chaos.stack import Stack

# It takes the ingester ten seconds and more to notice these.
SLOW = ("readings locked", "broker frozen")
HOLD_S = 0.5
LIMIT_S = 30.0
"""Until work goes on, on a machine that is busy with other things; `make prove` is stricter, and has it to itself."""


@pytest.fixture(scope="module")
def endurance(stack: Stack) -> Iterator[Endurance]:
    with Endurance(stack, "enduring").going_on() as going_on:
        yield going_on


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name not in SLOW], ids=str)
def test_nothing_is_lost_and_work_goes_on_after(endurance: Endurance, fault: Fault) -> None:
    try:
        outcome = fault.endured(endurance, min(fault.hold_s, HOLD_S))
    except NoMountsError as error:
        pytest.skip(f"It needs a disk of its own: {error}")

    assert outcome.verdict.clean, outcome
    assert outcome.recovery_s <= LIMIT_S
    assert outcome.rss_mb <= MEMORY_LIMIT_MB
