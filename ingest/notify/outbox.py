"""Delivers letters out of the outbox: each at least once, by one notifier at a time, until it worked or is given up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from psycopg import Connection

from ingest.notify.letter import Letter
from ingest.notify.targets import Directory, Target

# Waits between attempts double up to the longest; what could not be delivered for so long is given up.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=24)

# Whoever dies while it sends loses the lock with its connection, and the letter is sent again.
_CLAIM = """
select id, key, target, subject, body, attempts, created_at
from outbox
where sent_at is null and failed_at is null and next_try_at <= %s
order by severity, id
limit 1
for update skip locked
"""
_SENT = "update outbox set sent_at = %s, attempts = attempts + 1, error = '' where id = %s"
_AGAIN = "update outbox set next_try_at = %s, attempts = attempts + 1, error = %s where id = %s"
_GIVEN_UP = "update outbox set failed_at = %s, attempts = attempts + 1, error = %s where id = %s"

Send = Callable[[Target, Letter, str], str | None]
"""Sends a letter with its key to a target; gives why it did not work, in a sentence without secrets, or None."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    key: str
    target: str
    subject: str
    body: str
    attempts: int
    created_at: datetime


class Postman:
    """Delivers letters.

    Args:
        connection: in autocommit mode.
        directory: where the targets' addresses are.
        send: see `Send`.
    """

    def __init__(self, connection: Connection, directory: Directory, send: Send) -> None:
        self._connection = connection
        self._targets = {target.name: target for target in directory.all_targets()}
        self._send = send

    def deliver_one(self, now: datetime) -> bool:
        """Deliver the most urgent letter that is to go out; False when none is.

        Args:
            now: aware.
        """
        with self._connection.transaction():
            row = self._connection.execute(_CLAIM, (now,)).fetchone()
            if row is None:
                return False
            letter = _Claimed(*row)
            target = self._targets.get(letter.target)
            if target is None:
                self._give_up(letter, "The file of targets does not name it any more.", now)
                return True
            error = self._send(target, Letter(letter.subject, letter.body), letter.key)
            if error is None:
                self._connection.execute(_SENT, (now, letter.id))
                structlog.get_logger("notify").info("letter sent", letter=letter.id, target=letter.target)
            elif now - letter.created_at >= GIVE_UP_AFTER:
                self._give_up(letter, error, now)
            else:
                self._put_off(letter, error, now)
            return True

    def _put_off(self, letter: _Claimed, error: str, now: datetime) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(letter.attempts, 16))
        self._connection.execute(_AGAIN, (now + pause, error, letter.id))
        structlog.get_logger("notify").warning(
            "letter not sent; trying again",
            letter=letter.id,
            target=letter.target,
            error=error,
            again_in_s=int(pause.total_seconds()),
        )

    def _give_up(self, letter: _Claimed, error: str, now: datetime) -> None:
        self._connection.execute(_GIVEN_UP, (now, error, letter.id))
        structlog.get_logger("notify").error("letter given up", letter=letter.id, target=letter.target, error=error)
