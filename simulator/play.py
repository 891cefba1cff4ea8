"""Plays all sensors of a town in one process: virtual devices, and real firmware in MicroPython processes."""

import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from simulator.boards import Boards
from simulator.city import City
from simulator.fleet import Fleet, Plan
from simulator.memory import Memory
from simulator.roles import assign_roles

WAKE_EVERY_S = 20.0
"""How long the real firmware's sleep of five minutes takes here."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a play needs beside town and plan.

    Attributes:
        memory: file that remembers what was handed over.
        firmware: how many devices run the real firmware.
        boards: folder for the flash of those; None when there are none.
        leave_spare: whether the device next to the market square is left to whoever tries things out.
    """

    memory: Path
    firmware: int
    boards: Path | None
    leave_spare: bool


def play(city: City, plan: Plan, stage: Stage, stop: threading.Event) -> None:
    """Bring the past in, then let all devices report until `stop` is set.

    Args:
        city: the town.
        plan: how virtual devices behave; who plays what is filled in here.
        stage: files and sizes.
        stop: ends it.
    """
    roles = assign_roles(city, stage.firmware)
    left_out = frozenset([roles.spare_device] if roles.spare_device and stage.leave_spare else [])
    plan = replace(plan, firmware=frozenset(roles.firmware_devices), left_out=left_out)
    fleet = Fleet(city, plan, Memory(stage.memory, int(time.time())))
    fleet.recall()
    fleet.save(at_once=True)
    _tell(f"{fleet.waiting} readings of the past to hand over")
    boards = Boards(
        plan.bundles,
        stage.boards or stage.memory.parent / "boards",
        fleet.world,
        every_s=WAKE_EVERY_S,
        slept=fleet.settle,
        tell=_tell,
    )
    awake = threading.Thread(target=boards.run, args=(stop,), name="boards")
    awake.start()

    def handed_over(device: str) -> None:
        # One device is one MQTT client: its firmware may connect only when we are done in its name.
        if device in plan.firmware:
            boards.add(device)

    try:
        fleet.bring_in(stop, handed_over)
        _tell("the past is handed over")
        fleet.report(stop)
    finally:
        stop.set()
        awake.join()


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
