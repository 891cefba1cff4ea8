"""Somebody says on the page what to do with a proposed calibration; the assess runner carries it out."""

from dashboard.accounts.sessions import Visitor
from dashboard.alerts import MAY_DECIDE
from dashboard.database import Pool
from dashboard.rows import Answer


async def answer_proposal(pool: Pool, device: str, empty_mm: int, answer: Answer, visitor: Visitor) -> bool:
    """Note what somebody says to the calibration that is proposed for a sensor; who said so first counts.

    Args:
        pool: to the database.
        device: its reference.
        empty_mm: what was proposed when they were asked.
        answer: to accept or to dismiss it.
        visitor: who says so.

    Returns:
        False when their role may not, this is no longer proposed, or somebody else was first.
    """
    if visitor.role not in MAY_DECIDE:
        return False
    update = (
        "update calibration_checks set answer = %s, answered_by = %s where answer is null"
        " and fitting_id = (select fitting_id from bin_proposals where device = %s and empty_mm = %s)"
        " returning fitting_id"
    )
    async with pool.connection() as conn:
        cursor = await conn.execute(update, (answer, visitor.name, device, empty_mm))
        return await cursor.fetchone() is not None
