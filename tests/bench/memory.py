"""What the ingester takes while a million messages wait for it."""

import time
from pathlib import Path

from tests.bench.backlog import make_backlog, put_back
from tests.bench.drain import count, is_last_there
from tests.bench.flow import Flow
from tests.bench.part import Found, Tell
from tests.bench.stage import UNLIMITED, open_stage, until

MESSAGES = 1_000_000
LONGEST_S = 240.0
KB_IN_MB = 1024


def measure(rounds: int, tell: Tell) -> Found:  # noqa: ARG001 - it is the largest value that counts, and takes a minute
    """Drain the backlog once: all of it has to be there, once."""
    with open_stage() as stage:
        backlog = make_backlog(stage.broker, stage.bundle, Flow(MESSAGES, int(time.time()) - 2 * 86_400))
        tell(f"{MESSAGES} messages wait")
        stage.clear()
        put_back(stage.broker, backlog)
        with stage.connect() as connection, stage.ingester(UNLIMITED) as process:
            began = time.monotonic()
            if not until(process, lambda: is_last_there(connection, backlog), LONGEST_S):
                raise AssertionError(f"{count(connection)} readings are there: {stage.log.read_text()[-2000:]}")
            seconds, largest_kb = time.monotonic() - began, _largest_kb(process.pid)
            if count(connection) != MESSAGES:
                raise AssertionError(f"{count(connection)} of {MESSAGES} readings are there")
    return Found({"ingest.backlog_rss_mb": largest_kb / KB_IN_MB, "ingest.backlog_s": seconds}, {})


def _largest_kb(pid: int) -> int:
    """Give the most memory that a process ever had, as the kernel counts it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
