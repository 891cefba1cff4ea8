"""mosquitto_sub, the reference in C: receives, acknowledges at once, and prints to nowhere."""

import os
import subprocess
from pathlib import Path

from tests.bench.backlog import CONSUMER, Backlog, put_back
from tests.bench.stage import Stage

LONGEST_S = 60


def run_listener(stage: Stage, backlog: Backlog, program: Path) -> float:
    """Have it receive a whole backlog; gives microseconds of processor time for each message."""
    put_back(stage.broker, backlog)
    certificates = stage.broker.certificates
    command = [
        str(program), "-V", "5", "-h", stage.broker.host, "-p", str(stage.broker.port),
        "--cafile", str(certificates / "ca.pem"), "--cert", str(certificates / f"{CONSUMER}.pem"),
        "--key", str(certificates / f"{CONSUMER}.key"), "-i", CONSUMER, "-c", "-x", "86400", "-q", "1",
        "-D", "connect", "receive-maximum", "4000",
        "-t", "bins/v1/+/up/readings", "-C", str(backlog.flow.messages), "-W", str(LONGEST_S),
    ]  # fmt: skip
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return 1e6 * seconds / backlog.flow.messages
