"""A proposed calibration, answered on the page by the dashboard's role and carried out by the ingester's."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dashboard.accounts.sessions import Visitor, Window
from dashboard.calibration import answer_proposal
from dashboard.database import Pool, make_pool
from dashboard.rows import Answer
from ingest.registry.fittings import Fit, fit
from ingest.registry.proposals import carry_out_answers
from tests.conftest import MigratedDatabase, conninfo
from tests.integration.dashboard import town

pytestmark = pytest.mark.anyio
START = datetime(2026, 3, 1, tzinfo=UTC)
MANAGER = Visitor("anna", "manager", "", Window())


@pytest.fixture
async def pool(as_dashboard: None, owner: psycopg.Connection) -> AsyncIterator[Pool]:  # noqa: ARG001 - see `conftest.py`
    first, _ = town.add_bins(owner, 2)
    town.add_device(owner, "D1", first, START)
    town.add_proposal(owner, "D1")
    async with make_pool() as pool:
        yield pool


def carry_out(database: MigratedDatabase) -> None:
    with psycopg.connect(conninfo(database.ingest_env), autocommit=True) as connection:
        carry_out_answers(connection, datetime.now(UTC))


@pytest.mark.parametrize(
    ("answer", "outcome"), [("accept", (1310, "device.calibrate")), ("dismiss", (1150, "calibration.dismiss"))]
)
async def test_manager_answers_and_the_runner_does_it(
    pool: Pool, database: MigratedDatabase, owner: psycopg.Connection, answer: Answer, outcome: tuple[int, str]
) -> None:
    empty_mm, action = outcome
    assert await answer_proposal(pool, "D1", 1310, answer, MANAGER)
    assert not await answer_proposal(pool, "D1", 1310, "accept", MANAGER)
    assert owner.execute("select empty_mm from fittings").fetchall() == [(1150,)]
    assert owner.execute("select answer, answered_by from bin_proposals").fetchall() == [(answer, "anna")]

    carry_out(database)

    assert owner.execute("select empty_mm from fittings").fetchall() == [(empty_mm,)]
    assert owner.execute("select actor, action from audit_log").fetchall() == [("page: anna", action)]
    assert owner.execute("select count(*) from bin_proposals").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("visitor", "seen_mm"),
    [
        # Whoever only looks.
        (Visitor("bob", "viewer", "", Window()), 1310),
        # Something else is proposed by now.
        (MANAGER, 1290),
    ],
)
async def test_answer_that_may_not_count_is_none(
    pool: Pool, owner: psycopg.Connection, visitor: Visitor, seen_mm: int
) -> None:
    assert not await answer_proposal(pool, "D1", seen_mm, "accept", visitor)
    assert owner.execute("select answer from bin_proposals").fetchall() == [(None,)]


async def test_answer_does_not_follow_a_sensor_to_its_next_bin(
    pool: Pool, database: MigratedDatabase, owner: psycopg.Connection
) -> None:
    now = datetime.now(UTC)
    await answer_proposal(pool, "D1", 1310, "accept", MANAGER)
    with owner.transaction():
        fit(owner, [Fit("D1", "B-0002", 1150, 150, now - timedelta(hours=1))], now=now, actor="test")
    owner.execute(
        "insert into calibration_checks (fitting_id, checked_at, known_empty_mm, known_full_mm, empty_mm, full_mm,"
        " empty_low_mm, empty_high_mm, emptyings, sureness, reason)"
        " select id, now(), 1150, 150, 1000, 100, 990, 1010, 20, 0.9, '' from fittings where removed_at is null"
    )

    carry_out(database)

    assert owner.execute("select distinct empty_mm from fittings").fetchall() == [(1150,)]
    assert owner.execute("select count(*) from calibration_checks where answer is not null").fetchall() == [(0,)]
    assert owner.execute("select empty_mm from bin_proposals").fetchall() == [(1000,)]


async def test_answer_that_cannot_be_carried_out_stays_a_proposal(
    pool: Pool, database: MigratedDatabase, owner: psycopg.Connection
) -> None:
    owner.execute("update calibration_checks set empty_mm = 20000")
    await answer_proposal(pool, "D1", 20000, "accept", MANAGER)

    carry_out(database)

    assert owner.execute("select empty_mm from fittings").fetchall() == [(1150,)]
    assert owner.execute("select empty_mm, answer from bin_proposals").fetchall() == [(20000, None)]
