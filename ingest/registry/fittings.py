"""Fittings: which device sat in which bin, when, and what it measures in the empty and in the full bin."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import class_row

from ingest.registry.audit import Change, difference, record_changes
from ingest.registry.errors import RegistryError
from ingest.registry.queue import queue_assessment

# What the schema allows, millimetres.
EMPTY_MM = range(50, 10_001)
FULL_MM = range(10_000)
# A clock may be a little ahead of the server's.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Fit:
    """What somebody wants: this device in that bin, from then on.

    Attributes:
        device: its reference.
        bin: its reference.
        empty_mm: from the sensor's face to the bottom of the empty bin.
        full_mm: from the sensor's face to the waste of a full bin.
        fitted_at: aware; None for now.
        line: of the file that it was read from; None for the command line.
    """

    device: str
    bin: str
    empty_mm: int
    full_mm: int
    fitted_at: datetime | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was not done: the line of the file, where there is one, and the reason as a sentence."""

    line: int | None
    reason: str


@dataclass(slots=True)
class Fitted:
    """What fitting did."""

    fitted: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Fitting:
    """A row of `fittings`; `id` is 0 for one that is not stored yet."""

    id: int
    device_id: int
    bin_id: int
    bin: str
    fitted_at: datetime
    removed_at: datetime | None
    empty_mm: int
    full_mm: int


def fit(connection: Connection, fits: Sequence[Fit], *, now: datetime, actor: str) -> Fitted:
    """Put devices into bins, in the order given; what is refused harms none of the others.

    A device that sits elsewhere is taken out of there at that moment. The same fitting again changes nothing.

    Args:
        connection: of the caller's transaction.
        fits: what is wanted.
        now: aware.
        actor: for the audit log.
    """
    connection.execute("lock table fittings in share row exclusive mode")
    plan = _Plan(connection, [one.device for one in fits], [one.bin for one in fits], now)
    result = Fitted()
    for one in fits:
        outcome = plan.add(one)
        if outcome is None:
            result.unchanged += 1
        elif isinstance(outcome, str):
            result.refused.append(Refusal(one.line, outcome))
        else:
            result.fitted += 1
    plan.carry_out(connection, actor)
    return result


def running_fit(connection: Connection, device: str, *, empty_mm: int | None, full_mm: int | None) -> Fit:
    """Give the fitting that a device is in, with the distances given in place of its own.

    Raises:
        RegistryError: it sits in no bin.
    """
    row = connection.execute(
        "select bins.ref, empty_mm, full_mm, fitted_at from fittings join devices on devices.id = device_id"
        " join bins on bins.id = bin_id where devices.ref = %s and fittings.removed_at is null",
        (device,),
    ).fetchone()
    if row is None:
        raise RegistryError(f"{device} sits in no bin.")
    bin_ref, empty, full, fitted_at = row
    return Fit(
        device, bin_ref, empty if empty_mm is None else empty_mm, full if full_mm is None else full_mm, fitted_at
    )


class _Plan:
    """The devices' fittings as they are and as they will be; nothing is written before `carry_out`."""

    def __init__(self, connection: Connection, devices: list[str], bins: list[str], now: datetime) -> None:
        self._now = now
        query = "select ref, id from devices where ref = any(%s) and retired_at is null"
        self._devices: dict[str, int] = dict(connection.execute(query, (devices,)).fetchall())
        query = "select ref, id from bins where ref = any(%s) and removed_at is null"
        self._bins: dict[str, int] = dict(connection.execute(query, (bins,)).fetchall())
        self._fittings = _load(connection, list(self._devices.values()))
        self._closed: list[_Fitting] = []
        self._changed: list[_Fitting] = []
        self._since: dict[int, datetime] = {}
        self._audit: list[Change] = []

    def add(self, wanted: Fit) -> _Fitting | str | None:
        """Plan one fitting: gives it, or why it is refused, or None when it is so already."""
        refusal = self._refusal(wanted)
        if refusal:
            return refusal
        device_id, bin_id = self._devices[wanted.device], self._bins[wanted.bin]
        history = self._fittings.setdefault(device_id, [])
        at = wanted.fitted_at or self._now
        new = _Fitting(0, device_id, bin_id, wanted.bin, at, None, wanted.empty_mm, wanted.full_mm)
        if any(_says(old, new, timed=wanted.fitted_at is not None) for old in history):
            return None
        for old in history:
            if old.fitted_at == at and old.bin_id == bin_id:
                return self._correct(wanted.device, old, new)
            if at <= old.fitted_at or (old.removed_at is not None and at < old.removed_at):
                return _overlap(wanted.device, old, at)
        return self._move(wanted.device, history, new)

    def carry_out(self, connection: Connection, actor: str) -> None:
        """Write what was planned."""
        added = [one for history in self._fittings.values() for one in history if one.id == 0]
        with connection.cursor() as cursor:
            cursor.executemany(
                "update fittings set removed_at = %s where id = %s", [(one.removed_at, one.id) for one in self._closed]
            )
            cursor.executemany(
                "update fittings set empty_mm = %s, full_mm = %s where id = %s",
                [(one.empty_mm, one.full_mm, one.id) for one in self._changed],
            )
            cursor.executemany(
                "insert into fittings (device_id, bin_id, fitted_at, removed_at, empty_mm, full_mm)"
                " values (%s, %s, %s, %s, %s, %s)",
                [
                    (one.device_id, one.bin_id, one.fitted_at, one.removed_at, one.empty_mm, one.full_mm)
                    for one in added
                ],
            )
        record_changes(connection, actor, self._audit)
        if self._since:
            queue_assessment(connection, self._since)

    def _refusal(self, wanted: Fit) -> str | None:
        if wanted.device not in self._devices:
            return f"No device {wanted.device} is enrolled."
        if wanted.bin not in self._bins:
            return f"There is no bin {wanted.bin}."
        if wanted.empty_mm not in EMPTY_MM or wanted.full_mm not in FULL_MM:
            return "The empty distance must be 50 to 10,000 mm and the full distance 0 to 9,999 mm."
        if wanted.full_mm >= wanted.empty_mm:
            return (
                f"A full bin's waste is nearer than the bottom: the full distance ({wanted.full_mm} mm)"
                f" must be less than the empty one ({wanted.empty_mm} mm)."
            )
        if wanted.fitted_at is not None and wanted.fitted_at > self._now + AHEAD:
            return f"{when(wanted.fitted_at)} is in the future."
        return None

    def _correct(self, device: str, old: _Fitting, new: _Fitting) -> _Fitting:
        """Give a fitting its right distances."""
        right = replace(old, empty_mm=new.empty_mm, full_mm=new.full_mm)
        self._put(old, right)
        if old.id:
            self._changed.append(right)
        before = {"empty_mm": old.empty_mm, "full_mm": old.full_mm}
        after = {"empty_mm": new.empty_mm, "full_mm": new.full_mm}
        self._note(device, difference("device.calibrate", device, before, after), right)
        return right

    def _move(self, device: str, history: list[_Fitting], new: _Fitting) -> _Fitting:
        before = None
        for old in history:
            if old.removed_at is None:
                before = {"bin": old.bin}
                closed = replace(old, removed_at=new.fitted_at)
                self._put(old, closed)
                if old.id:
                    self._closed.append(closed)
        history.append(new)
        after = {"bin": new.bin, "fitted_at": new.fitted_at, "empty_mm": new.empty_mm, "full_mm": new.full_mm}
        self._note(device, Change("device.fit", device, before, after), new)
        return new

    def _put(self, old: _Fitting, right: _Fitting) -> None:
        history = self._fittings[old.device_id]
        history[history.index(old)] = right

    def _note(self, device: str, change: Change, one: _Fitting) -> None:
        self._audit.append(change)
        self._since[one.device_id] = min(one.fitted_at, self._since.get(self._devices[device], one.fitted_at))


def _load(connection: Connection, device_ids: list[int]) -> dict[int, list[_Fitting]]:
    query = (
        "select fittings.id, device_id, bin_id, bins.ref as bin, fitted_at, fittings.removed_at, empty_mm, full_mm"
        " from fittings join bins on bins.id = fittings.bin_id where device_id = any(%s) order by fitted_at"
    )
    histories: dict[int, list[_Fitting]] = {}
    with connection.cursor(row_factory=class_row(_Fitting)) as cursor:
        for one in cursor.execute(query, (device_ids,)):
            histories.setdefault(one.device_id, []).append(one)
    return histories


def _says(old: _Fitting, new: _Fitting, *, timed: bool) -> bool:
    """Say whether the old fitting is the wanted one; one for "now" is, as long as it lasts."""
    same = (old.bin_id, old.empty_mm, old.full_mm) == (new.bin_id, new.empty_mm, new.full_mm)
    return same and (old.fitted_at == new.fitted_at if timed else old.removed_at is None)


def _overlap(device: str, old: _Fitting, at: datetime) -> str:
    until = "until now" if old.removed_at is None else f"until {when(old.removed_at)}"
    return (
        f"{device} sat in {old.bin} from {when(old.fitted_at)} {until}: a fitting from {when(at)} would overlap that."
    )


def when(moment: datetime) -> str:
    """Write a moment for people."""
    return f"{moment:%Y-%m-%d %H:%M %Z}"
