"""Some thousands of messages that nobody would send; `make prove` sends a million."""

from tests.chaos.fuzz import Fuzz, p99_ms
from tests.chaos.fuzzer import Fuzzer
from tests.chaos.stack import Stack

MESSAGES = 4000
LIMIT_MS = 2000.0
"""What anybody has to wait for a reading to be seen; `make prove` is stricter, and has the time to be sure."""


def test_rubbish_is_kept_with_reasons_and_harms_nobody(stack: Stack) -> None:
    outcome = Fuzz(stack, seed=2).go(MESSAGES, alone_s=0.5)

    assert outcome.clean, outcome
    assert p99_ms(outcome.good_ms) <= LIMIT_MS


def test_same_seed_draws_the_same_messages() -> None:
    first, second, other = (Fuzzer(seed) for seed in (1, 1, 2))

    drawn = [[fuzzer.draw() for _ in range(200)] for fuzzer in (first, second, other)]

    assert drawn[0] == drawn[1] != drawn[2]
