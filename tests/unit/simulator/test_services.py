import itertools
from pathlib import Path

from simulator.stack.errors import StackError
from simulator.stack.services import LONGEST_PAUSE_S, STEADY_S, Supervisor


class FakeService:
    """Runs until a test says otherwise."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name = name
        self.log = Path(f"{name}.log")
        self.running = True
        self.broken = False
        self._journal = journal

    def start(self) -> None:
        """Start, or fail when broken."""
        self._journal.append(f"start {self.name}")
        if self.broken:
            raise StackError("no room")
        self.running = True

    def ask_to_end(self) -> None:
        """Note that it was asked."""
        self._journal.append(f"ask {self.name}")

    def stop(self) -> None:
        """Note that it was stopped."""
        self._journal.append(f"stop {self.name}")


class Rig:
    """A supervisor with two services, a clock and what it said."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.told: list[str] = []
        self.now = 1000.0
        self.supervisor = Supervisor(self.told.append, clock=lambda: self.now)
        self.database, self.ingester = FakeService("database", self.journal), FakeService("ingester", self.journal)
        self.supervisor.add(self.database)
        self.supervisor.add(self.ingester)


def test_heal_leaves_alone_what_runs() -> None:
    rig = Rig()

    rig.supervisor.heal()

    assert rig.journal == []


def test_heal_starts_again_what_died_and_says_so() -> None:
    rig = Rig()
    rig.ingester.running = False

    rig.supervisor.heal()

    assert rig.ingester.running
    assert rig.journal == ["start ingester"]
    assert rig.told == ["ingester ended and was started again; its log is ingester.log."]


def test_heal_starts_the_database_before_who_needs_it() -> None:
    rig = Rig()
    rig.database.running = rig.ingester.running = False

    rig.supervisor.heal()

    assert rig.journal == ["start database", "start ingester"]


def test_heal_what_dies_again_and_again_is_started_ever_more_rarely() -> None:
    rig = Rig()
    rig.ingester.broken = True
    starts = []

    for _ in range(6000):
        rig.ingester.running = False
        rig.supervisor.heal()
        if len(rig.journal) > len(starts):
            starts.append(rig.now)
        rig.now += 0.01

    pauses = [later - sooner for sooner, later in itertools.pairwise(starts)]
    assert pauses == sorted(pauses)
    assert max(pauses) <= LONGEST_PAUSE_S + 0.1
    assert 4 <= len(starts) <= 8


def test_heal_what_ran_for_long_is_started_at_once() -> None:
    rig = Rig()
    rig.ingester.running = False
    rig.supervisor.heal()
    rig.now += STEADY_S + 5
    rig.ingester.running = False

    rig.supervisor.heal()

    assert rig.journal == ["start ingester", "start ingester"]


def test_heal_goes_on_when_a_service_cannot_be_started() -> None:
    rig = Rig()
    rig.database.running = rig.ingester.running = False
    rig.database.broken = True

    rig.supervisor.heal()

    assert rig.ingester.running
    assert rig.told[0] == "database ended and cannot be started again yet: no room"


def test_stop_asks_all_first_and_ends_the_database_last() -> None:
    rig = Rig()

    rig.supervisor.stop()

    assert rig.journal == ["ask ingester", "ask database", "stop ingester", "stop database"]
