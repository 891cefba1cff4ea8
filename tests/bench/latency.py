"""From publishing to the commit, while messages come at a fixed rate."""

import time
from collections import defaultdict

import numpy as np
import numpy.typing as npt

from tests.bench.drain import count
from tests.bench.flow import Flow
from tests.bench.observer import Observer
from tests.bench.part import Found, Tell, medians
from tests.bench.publisher import Publishing, Sent, publishing
from tests.bench.stage import DEVICES, Stage, open_stage, until

WARM_UP_S = 4
MEASURED_S = 12
LAST_COMMITS_S = 30.0


def measure(rounds: int, tell: Tell) -> Found:
    """Publish at 1,000 and at 10,000 messages a second."""
    samples: dict[str, list[float]] = defaultdict(list)
    with open_stage() as stage:
        for number in range(1, rounds + 1):
            calm_ms, calm = _play(stage, 1000)
            samples["ingest.commit_p50_ms"].append(float(np.percentile(calm_ms, 50)))
            samples["ingest.commit_p99_ms"].append(float(np.percentile(calm_ms, 99)))
            samples["ingest.publisher_late_p99_ms"].append(calm.late_p99_ms)
            busy_ms, busy = _play(stage, 10_000)
            samples["ingest.commit_p50_ms_at_10k"].append(float(np.percentile(busy_ms, 50)))
            samples["ingest.commit_p99_ms_at_10k"].append(float(np.percentile(busy_ms, 99)))
            samples["ingest.publisher_late_p99_ms_at_10k"].append(busy.late_p99_ms)
            latest = ", ".join(f"{name.removeprefix('ingest.')} {values[-1]:.3g}" for name, values in samples.items())
            tell(f"round {number} of {rounds}: {latest}")
    return medians(samples)


def _play(stage: Stage, per_s: int) -> tuple[npt.NDArray[np.float64], Sent]:
    """Publish at a rate to a fresh ingester; gives the milliseconds of each message after the warm-up."""
    messages = (WARM_UP_S + MEASURED_S) * per_s
    flow = Flow(messages, int(time.time()), step_s=DEVICES / per_s, per_s=per_s)
    stage.clear()
    stage.open_broker()
    with stage.ingester() as process, stage.connect() as connection, Observer(stage.conninfo) as observer:
        with publishing(stage.where, flow) as publisher:
            sent = publisher.finish()
        if not until(process, lambda: count(connection) == messages, LAST_COMMITS_S):
            raise AssertionError(
                f"{count(connection)} of {messages} readings are there: {stage.log.read_text()[-2000:]}"
            )
    return _waits_ms(flow, publisher, observer), sent


def _waits_ms(flow: Flow, publisher: Publishing, observer: Observer) -> npt.NDArray[np.float64]:
    seen = observer.seen_s()
    if len(seen) != flow.messages:
        raise AssertionError(f"{len(seen)} of {flow.messages} readings were seen")
    planned = {position: flow.planned_s(flow.number(*position)) for position in seen}
    return np.array(
        [
            1000 * (seen_s - publisher.began_s - planned[position])
            for position, seen_s in seen.items()
            if planned[position] >= WARM_UP_S
        ]
    )
