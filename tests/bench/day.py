"""A day's backlog of a whole country's bins comes in at once, while fresh readings go on."""

import statistics
import time

from tests.bench.backlog import Backlog, enrol_devices, make_backlog, put_back
from tests.bench.drain import count, is_last_there
from tests.bench.flow import Flow
from tests.bench.observer import Observer
from tests.bench.part import Found, Tell
from tests.bench.publisher import publishing
from tests.bench.stage import Stage, open_stage, until

DEVICES = 10_000
READINGS_EACH = 96
ROWS = 24
FRESH_PER_S = 100
LONGEST_S = 300
AFTER_S = 2.0
"""Fresh readings are watched for so long after the backlog is drained."""


def measure(rounds: int, tell: Tell) -> Found:
    """Drain the backlog once a round."""
    samples: dict[str, list[float]] = {"ingest.day_backlog_s": [], "ingest.day_fresh_max_s": []}
    with open_stage() as stage:
        enrol_devices(stage.conninfo, DEVICES)
        day = Flow(
            DEVICES * READINGS_EACH // ROWS, int(time.time()) - 86_400 - 3600,
            devices=DEVICES, rows=ROWS, kind="up/backlog", step_s=86_400 / READINGS_EACH,
        )  # fmt: skip
        backlog = make_backlog(stage.broker, stage.bundle, day)
        for number in range(1, rounds + 1):
            seconds, fresh_max_s = _play(stage, backlog)
            samples["ingest.day_backlog_s"].append(seconds)
            samples["ingest.day_fresh_max_s"].append(fresh_max_s)
            tell(f"round {number} of {rounds}: drained in {seconds:.1f} s, fresh readings within {fresh_max_s:.2f} s")
    figures = {
        "ingest.day_backlog_s": statistics.median(samples["ingest.day_backlog_s"]),
        "ingest.day_fresh_max_s": max(samples["ingest.day_fresh_max_s"]),
    }
    return Found(figures, samples)


def _play(stage: Stage, backlog: Backlog) -> tuple[float, float]:
    """Give the seconds that the backlog took, and the most that any fresh reading took meanwhile."""
    stage.clear()
    put_back(stage.broker, backlog)
    # Its readings go on where the backlog ends.
    fresh = Flow(
        (LONGEST_S + 10) * FRESH_PER_S, int(time.time()),
        devices=DEVICES, step_s=DEVICES / FRESH_PER_S, per_s=FRESH_PER_S, first_seq=READINGS_EACH,
    )  # fmt: skip
    with (
        Observer(stage.conninfo) as observer,
        publishing(stage.where, fresh) as publisher,
        stage.ingester() as process,
        stage.connect() as connection,
    ):
        began_s = time.monotonic()
        if not until(process, lambda: is_last_there(connection, backlog), LONGEST_S):
            raise AssertionError(f"the backlog is not drained: {stage.log.read_text()[-2000:]}")
        seconds = time.monotonic() - began_s
        time.sleep(AFTER_S)
        sent = publisher.finish(now=True)
        expected = backlog.flow.readings + sent.messages
        if not until(process, lambda: count(connection) == expected, LONGEST_S):
            raise AssertionError(f"{count(connection)} of {expected} readings are there")
    waits_s = [
        seen_s - publisher.began_s - fresh.planned_s(fresh.number(device, seq))
        for (device, seq), seen_s in observer.seen_s().items()
        if seq >= READINGS_EACH
    ]
    if len(waits_s) != sent.messages:
        raise AssertionError(f"{len(waits_s)} of {sent.messages} fresh readings were seen")
    return seconds, max(waits_s)
