"""The ingester is killed while messages flow, and its supervisor starts it again."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.stack.services import Process, Supervisor
from tests.bench.drain import count
from tests.bench.flow import Flow
from tests.bench.observer import Observer
from tests.bench.part import Found, Tell
from tests.bench.publisher import publishing
from tests.bench.stage import Stage, open_stage
from tests.chaos.run import FIRST_PAUSE_S, LOOK_EVERY_S, STEADY_S
from tests.integration.ingest.ingester import until

KILLS = 10
EVERY_S = STEADY_S + 2
"""Far enough apart that the supervisor takes none for a program that cannot run."""
PER_S = 200
DEVICES = 200
LONGEST_S = 60.0


def measure(rounds: int, tell: Tell) -> Found:  # noqa: ARG001 - the worst of ten kills is the figure
    """Kill it ten times; every reading has to be there in the end, once."""
    messages = int(KILLS * EVERY_S + EVERY_S) * PER_S
    flow = Flow(messages, int(time.time()), devices=DEVICES, step_s=DEVICES / PER_S, per_s=PER_S)
    killed_s = []
    with open_stage() as stage:
        stage.open_broker()
        with (
            Observer(stage.conninfo) as observer,
            stage.connect() as connection,
            _supervised(stage, tell) as ingester,
            publishing(stage.where, flow) as publisher,
        ):
            for number in range(KILLS):
                time.sleep(max(0.0, publisher.began_s + (number + 1) * EVERY_S - time.monotonic()))
                killed_s.append(time.monotonic())
                ingester.kill()
            publisher.finish()
            until(lambda: count(connection) == messages, "every reading is there", LONGEST_S)
        seen = observer.seen_s()
    planned = {position: publisher.began_s + flow.planned_s(flow.number(*position)) for position in seen}
    waits_s = [
        min(seen_s for position, seen_s in seen.items() if planned[position] > killed) - killed for killed in killed_s
    ]
    return Found({"ingest.restart_s": max(waits_s)}, {"restart_s": waits_s})


@contextmanager
def _supervised(stage: Stage, tell: Tell) -> Iterator[Process]:
    """Have the ingester started again when it dies, as quickly as Docker does."""
    ingester = Process("ingester", ["ingest", "serve"], env=stage.env, log=stage.log, ready=None)
    supervisor, ended = Supervisor(tell, steady_s=STEADY_S, first_pause_s=FIRST_PAUSE_S), threading.Event()
    ingester.start()
    supervisor.add(ingester)

    def look_after() -> None:
        while not ended.wait(LOOK_EVERY_S):
            supervisor.heal()

    thread = threading.Thread(target=look_after, name="supervisor")
    thread.start()
    try:
        yield ingester
    finally:
        ended.set()
        thread.join()
        ingester.kill()
