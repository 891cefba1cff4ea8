"""Plays all sensors of a town in one process: virtual devices, and real firmware in MicroPython processes."""

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from simulator.city import City
from simulator.fleet import Fleet, Plan
from simulator.memory import Memory
from simulator.roles import assign_roles


@dataclass(frozen=True, slots=True)
class Stage:
    """What a play needs beside town and plan.

    Attributes:
        memory: file that remembers what was handed over.
        firmware: how many devices run the real firmware.
        boards: folder for the flash of those; None when there are none.
    """

    memory: Path
    firmware: int
    boards: Path | None


def play(city: City, plan: Plan, stage: Stage, stop: threading.Event) -> None:
    """Bring the past in, then let all devices report until `stop` is set.

    Args:
        city: the town.
        plan: how virtual devices behave; who plays what is filled in here.
        stage: files and sizes.
        stop: ends it.
    """
    roles = assign_roles(city, stage.firmware)
    left_out = frozenset([roles.spare_device] if roles.spare_device else [])
    plan = replace(plan, firmware=frozenset(roles.firmware_devices), left_out=left_out)
    fleet = Fleet(city, plan, Memory(stage.memory, int(time.time())))
    fleet.recall()
    fleet.save(at_once=True)
    fleet.bring_in(stop, lambda _: None)
    fleet.report(stop)
