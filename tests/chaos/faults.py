"""What goes wrong with database and broker in earnest, while devices send; their ledgers judge.

`make prove PROOF=faults` goes through all of it, `make test` through what is quick.
"""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import trouble
from tests.chaos.disk import NoMountsError
from tests.chaos.endurance import Endurance, Outcome
from tests.chaos.stack import Stack

RECOVERY_LIMIT_S = 5.0
MEMORY_LIMIT_MB = 150.0
DATABASE_AWAY, BROKER_AWAY = "The database does not answer", "The broker at"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble.

    Attributes:
        name: for people.
        begin: gives the block that it lasts for.
        hold_s: how long it lasts after the ingester noticed.
        sign: what the ingester says of it; None where it only waits, or where the end of the fault is its beginning.
        times: how often `prove` has it.
        disk: folder of the database's data that has to be on a small disk for it.
    """

    name: str
    begin: Callable[[Endurance], contextlib.AbstractContextManager[None]]
    hold_s: float = 0
    sign: str | None = None
    times: int = 1
    disk: str | None = None

    def __str__(self) -> str:
        return self.name

    def endured(self, endurance: Endurance, hold_s: float) -> Outcome:
        """Go through it.

        Raises:
            NoMountsError: it needs a small disk, which cannot be had here.
        """
        with endurance.on_small_disk(self.disk) if self.disk else contextlib.nullcontext():
            return endurance.endure(self.begin(endurance), hold_s, self.sign)


FAULTS = (
    Fault("database killed", trouble.killed_database, times=4),
    Fault("database stopped", trouble.stopped_database, 120, DATABASE_AWAY),
    Fault("database stopped, ingester killed", trouble.doubly_killed, 10, DATABASE_AWAY),
    Fault("database failing over", trouble.failing_over, 10, "read-only transaction", times=2),
    Fault("commits held", trouble.held_commits, 20),
    Fault("database slow", trouble.slow_database, 20),
    Fault("readings locked", trouble.locked_readings, 30, "lock timeout"),
    Fault("database read-only", trouble.read_only_database, 15, "read-only transaction", times=2),
    Fault("data disk full", trouble.full_data_disk, 15, "No space left on device", disk="base"),
    Fault("log disk full", trouble.full_log_disk, 10, DATABASE_AWAY, disk="pg_wal"),
    Fault("broker killed", trouble.killed_broker, times=4),
    Fault("broker frozen", trouble.frozen_broker, 30, BROKER_AWAY),
    Fault("broker forgetful", trouble.forgetful_broker, times=2),
)


def prove(tell: Callable[[str], None]) -> tuple[dict[str, float], bool]:
    """Go through all faults.

    Args:
        tell: takes lines for people.

    Returns:
        The figures by name, and whether they are as they should be.
    """
    began = time.monotonic()
    outcomes: list[Outcome] = []
    left_out = 0
    with Stack() as stack, Endurance(stack, "enduring").going_on() as endurance:
        before_mb = endurance.rss_mb()
        for fault in (each for each in FAULTS for _ in range(each.times)):
            try:
                outcomes.append(fault.endured(endurance, fault.hold_s))
            except NoMountsError as error:
                left_out += 1
                tell(f"{fault}: left out, because {error}")
            else:
                tell(f"{fault}: {outcomes[-1]}")
    recoveries = sorted(outcome.recovery_s for outcome in outcomes)
    verdicts = [outcome.verdict for outcome in outcomes]
    # Each verdict is about everything so far: what is wrong once is seen in all that follow.
    figures: dict[str, float] = {
        "faults.cells": len(outcomes),
        "faults.left_out": left_out,
        "faults.readings": verdicts[-1].readings,
        "faults.lost": max(verdict.lost for verdict in verdicts),
        "faults.duplicated": max(verdict.duplicated for verdict in verdicts),
        "faults.altered": max(verdict.altered + verdict.rejected for verdict in verdicts),
        "faults.recovery_p95_s": round(recoveries[math.ceil(0.95 * len(recoveries)) - 1], 2),
        "faults.recovery_max_s": round(recoveries[-1], 2),
        "faults.rss_before_mb": round(before_mb, 1),
        "faults.peak_rss_mb": round(max(outcome.rss_mb for outcome in outcomes), 1),
        "faults.duration_s": round(time.monotonic() - began, 1),
    }
    return figures, (
        all(verdict.clean for verdict in verdicts)
        and figures["faults.recovery_p95_s"] <= RECOVERY_LIMIT_S
        and figures["faults.peak_rss_mb"] <= MEMORY_LIMIT_MB
    )
