"""A small run of `make chaos`: each part is killed once, and the devices' own ledgers are the judge."""

from tests.chaos.__main__ import figures, is_clean
from tests.chaos.run import Plan, Run
from tests.chaos.schedule import PARTS, plan_kills
from tests.chaos.stack import Stack

LIMIT_S = 30.0
"""For an ingester that is started again, on a machine that is busy with other things; `make chaos` says the figure."""


def test_nothing_is_lost_or_doubled_when_each_part_is_killed(stack: Stack) -> None:
    told: list[str] = []
    plan = Plan(seed=1, kills=len(PARTS), readings=500, devices=3, boards=1)

    outcome = Run(stack, plan, told.append).go()

    assert is_clean(outcome), (outcome, told)
    assert {recovery.part for recovery in outcome.recoveries} == set(PARTS)
    assert figures(outcome)["ingest.restart_s"] <= LIMIT_S


def test_same_seed_gives_the_same_kills() -> None:
    first, second, other = (plan_kills(seed, 30, 8) for seed in (1, 1, 2))

    assert first == second
    assert first != other
    assert {kill.part for kill in first} == set(PARTS)
