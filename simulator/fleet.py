"""The virtual devices of a town: they bring their history in, then report about once a minute."""

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.city import City
from simulator.deposits import HOUR_S
from simulator.device import BrokerAddress, Device
from simulator.faults import FOR_EVER_S, Fault, Spell, plan_faults
from simulator.history import History
from simulator.ledger import Ledger
from simulator.measured import Slots
from simulator.memory import HISTORY_DAYS, Memory
from simulator.sensor import DAY_S, Row, Sensors, to_rows

HISTORY_EPOCH, LIVE_EPOCH = 0, 1
"""Readings of the past are counted by hours since 1970 in one epoch, live ones by turns since 1970 in another: a fleet
that was killed makes the very same readings again."""
BEGAN_S: dict[Fault, int] = {"no_echo": 2 * DAY_S, "tilted": 5 * HOUR_S}
"""How long before the town began a fault did; any other is as old as the history."""
AT_ONCE = 10
"""Devices that talk at the same time."""
BACKLOG_TIMEOUT_S = 30.0
LIVE_TIMEOUT_S = 5.0
SAVE_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a fleet behaves.

    Attributes:
        broker: where to report.
        bundles: folder with one folder of certificates per device.
        every_s: seconds between two reports of a device, 5 to 3600.
        firmware: devices whose live readings the real firmware takes; the fleet only brings their past in.
        left_out: devices that somebody else plays.
    """

    broker: BrokerAddress
    bundles: Path
    every_s: int = 60
    firmware: frozenset[str] = field(default=frozenset())
    left_out: frozenset[str] = field(default=frozenset())


class Fleet:
    """All virtual devices of a town.

    Args:
        city: the town.
        plan: how they behave.
        memory: where they left off.
        now: the clock, Unix seconds.
    """

    def __init__(self, city: City, plan: Plan, memory: Memory, now: Callable[[], float] = time.time) -> None:
        self._plan, self._memory, self._now = plan, memory, now
        self._bins = len(city.bins)
        self._place = {
            place.device: index
            for index, place in enumerate(city.bins)
            if place.device and place.device not in plan.left_out
        }
        faults = plan_faults(city.seed, [ref for ref in self._place if ref not in plan.firmware])
        silent = [ref for ref, fault in faults.items() if fault == "silent"]
        # The first fell silent eight hours before the town began, the next ones earlier and earlier.
        self._silent_from = {ref: memory.began_at - (8 + 17 * turn) * HOUR_S for turn, ref in enumerate(silent)}
        self._history = History(city, memory.history_from // HOUR_S, HISTORY_DAYS * 24 + 24)
        spells = [
            Spell(fault, self._place[ref], memory.began_at - BEGAN_S.get(fault, HISTORY_DAYS * DAY_S), FOR_EVER_S, 0.5)
            for ref, fault in faults.items()
            if fault != "silent"
        ]
        self._sensors = Sensors(city, spells)
        self._turn: tuple[int, NDArray[np.int64]] = (-1, np.empty((0, 0), dtype=np.int64))
        self._measuring = threading.Lock()
        self._devices = {ref: self._device(ref) for ref in self._place}
        self._saved_at = 0.0

    @property
    def waiting(self) -> int:
        """Readings that are not acknowledged yet."""
        return sum(len(device.ledger) for device in self._devices.values())

    def readings(self, device: str) -> list[tuple[int, Row]]:
        """List what a device still has to hand over: epoch and row of each reading."""
        return [(epoch, row) for epoch, rows in self._devices[device].ledger.messages() for row in rows]

    def recall(self) -> None:
        """Measure the hours since each device's last acknowledged reading, of the last four weeks at most."""
        now = int(self._now())
        longest_ago = now - HISTORY_DAYS * DAY_S
        oldest = max(longest_ago, min(device.ledger.settled_until for device in self._devices.values()))
        slots = Slots("sensor hours", np.arange(oldest // HOUR_S, now // HOUR_S + 1), HOUR_S)
        at, measured = slots.measured_at(self._bins), self._measure(slots)
        for ref, device in self._devices.items():
            index = self._place[ref]
            until = min(now, self._silent_from.get(ref, now))
            wanted = (at[:, index] > max(longest_ago, device.ledger.settled_until)) & (at[:, index] <= until)
            device.ledger.record(HISTORY_EPOCH, to_rows(measured[wanted, index]))

    def bring_in(self, stop: threading.Event, done: Callable[[str], None]) -> None:
        """Hand over all that waits, devices of the firmware first; returns when nothing waits or `stop` is set.

        Args:
            stop: ends it early.
            done: called with each device that has nothing left, from another thread.
        """
        order = sorted(self._devices, key=lambda ref: (ref not in self._plan.firmware, self._place[ref]))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            talks = [pool.submit(self._bring_in_one, ref, stop, done) for ref in order]
            while not all(talk.done() for talk in talks):
                stop.wait(0.2)
                self.save()
        for talk in talks:
            talk.result()
        self.save(at_once=True)

    def report(self, stop: threading.Event) -> None:
        """Let every device report in its turn, until `stop` is set."""
        speakers = [ref for ref in self._devices if ref not in self._plan.firmware and ref not in self._silent_from]
        turns = [(self._next_turn_s(ref), ref) for ref in speakers]
        heapq.heapify(turns)
        talks: dict[str, Future[bool]] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not stop.wait(0.2):
                for at_s, ref in self._due(turns):
                    # Who still waits for an acknowledgement measures again, and sends it all in its next turn.
                    self._devices[ref].ledger.record(LIVE_EPOCH, to_rows(self._measure_one(ref, at_s)))
                    if ref not in talks or talks[ref].done():
                        talks[ref] = pool.submit(self._hand_over, ref, LIVE_TIMEOUT_S, stop)
                self.save()
        self.save(at_once=True)

    def settle(self, device: str) -> None:
        """Note that a device reports for itself now: there is no gap to fill until this moment."""
        self._devices[device].ledger.settle(int(self._now()))

    def save(self, *, at_once: bool = False) -> None:
        """Write down what is acknowledged, every few seconds or at once."""
        if at_once or time.monotonic() > self._saved_at + SAVE_EVERY_S:
            for ref, device in self._devices.items():
                self._memory.settle(ref, device.ledger.settled_until)
            self._memory.save(self.waiting)
            self._saved_at = time.monotonic()

    def world(self, device: str) -> dict[str, object]:
        """Say what is around a device with the real firmware now, by the names of its `world.json`."""
        row = to_rows(self._measure_one(device, int(self._now())))[0]
        _, _, distance_mm, _, _, temperature, battery_mv, tilt_deg, _ = row
        return {
            "distance_mm": distance_mm or 0,
            "sensor": "silent" if distance_mm is None else "ok",
            "temperature_c": (temperature or 0) / 10,
            "battery_mv": battery_mv,
            "tilt_deg": tilt_deg,
        }

    def _device(self, ref: str) -> Device:
        settled_until = self._memory.settled.get(ref, self._memory.history_from)
        return Device(ref, self._plan.bundles / ref, Ledger(settled_until))

    def _measure(self, slots: Slots) -> NDArray[np.int64]:
        at = slots.measured_at(self._bins)
        bins = np.broadcast_to(np.arange(self._bins), at.shape)
        levels = self._history.levels(bins.ravel(), at.ravel()).reshape(at.shape)
        return self._sensors.measure(slots, levels)

    def _measure_one(self, ref: str, at_s: int) -> NDArray[np.int64]:
        """Measure one bin in the turn that `at_s` lies in; all bins of a turn are measured together, once."""
        number, index = at_s // self._plan.every_s, self._place[ref]
        with self._measuring:
            if self._turn[0] != number:
                slots = Slots("sensor turns", np.array([number]), self._plan.every_s)
                self._turn = (number, self._measure(slots)[0])
            return self._turn[1][index : index + 1]

    def _next_turn_s(self, ref: str) -> int:
        every_s, now = self._plan.every_s, int(self._now())
        slots = Slots("sensor turns", np.array([now // every_s]), every_s)
        at_s = int(slots.measured_at(self._bins)[0, self._place[ref]])
        return at_s if at_s > now else at_s + every_s

    def _due(self, turns: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        now = self._now()
        while turns and turns[0][0] <= now:
            at_s, ref = heapq.heappop(turns)
            # After a long pause of the machine nobody catches up on turns.
            heapq.heappush(turns, (max(at_s + self._plan.every_s, self._next_turn_s(ref)), ref))
            yield at_s, ref

    def _bring_in_one(self, ref: str, stop: threading.Event, done: Callable[[str], None]) -> None:
        pause_s = 0.2
        while not stop.is_set() and not self._hand_over(ref, BACKLOG_TIMEOUT_S, stop):
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, 5.0)
        if not stop.is_set():
            done(ref)

    def _hand_over(self, ref: str, timeout_s: float, stop: threading.Event) -> bool:
        device = self._devices[ref]
        if not len(device.ledger):
            return True
        every_s = self._plan.every_s
        return device.hand_over(self._plan.broker, next_report_s=every_s, timeout_s=timeout_s, stop=stop)
