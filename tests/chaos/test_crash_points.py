"""The ingester dies at points where a mistake in the order of its steps would show; `make prove` tries all of them."""

from collections.abc import Iterator

import pytest

from tests.chaos.crash_points import CHOSEN, Bench, Cell
from tests.chaos.stack import Stack


@pytest.fixture(scope="module")
def bench(stack: Stack) -> Iterator[Bench]:
    with Bench(stack).connected() as connected:
        yield connected


@pytest.mark.parametrize("cell", CHOSEN, ids=str)
def test_nothing_is_lost_or_doubled_when_the_ingester_dies(bench: Bench, cell: Cell) -> None:
    verdict = bench.die(cell)

    assert verdict.clean, verdict
