"""What cannot wait for the next report: full, hot, tipped over, or suddenly quite another level. Pure."""

from . import codec

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import Limits


FULL = 1
HOT = 2
TILTED = 4

FULL_RELEASE_MM = 50  # an alarm ends only well below where it began, so that it does not flap
HOT_RELEASE_TENTHS = 50
TILT_RELEASE_DEG = 10


def alarms(row: "tuple[int | None, ...]", before: int, limits: "Limits") -> int:
    """Say which alarms hold.

    Args:
        row: of `codec.ROW_FIELDS`; a field that is None leaves its alarm as it was.
        before: the alarms that held at the wake before.
        limits: the configuration.
    """
    distance_mm, temperature, tilt_deg = row[2], row[5], row[7]
    if row[8] and row[8] & codec.LID_OPEN:
        distance_mm = None  # an open lid looks anywhere
    after = before
    if distance_mm is not None and limits.full_mm:
        after = _switch(after, FULL, distance_mm <= limits.full_mm, distance_mm > limits.full_mm + FULL_RELEASE_MM)
    if temperature is not None:
        hot = limits.alarm_temperature_c * 10
        after = _switch(after, HOT, temperature >= hot, temperature < hot - HOT_RELEASE_TENTHS)
    if tilt_deg is not None:
        tilted = limits.alarm_tilt_deg
        after = _switch(after, TILTED, tilt_deg >= tilted, tilt_deg < tilted - TILT_RELEASE_DEG)
    return after


def has_jumped(row: "tuple[int | None, ...]", last_distance_mm: int, jump_mm: int) -> bool:
    """Say whether the level leapt since the last good reading (0: there is none): emptied, or a big bag."""
    distance_mm = row[2]
    if distance_mm is None or not last_distance_mm or (row[8] and row[8] & codec.LID_OPEN):
        return False
    return abs(distance_mm - last_distance_mm) >= jump_mm


def _switch(alarms: int, alarm: int, begins: bool, ends: bool) -> int:
    if begins:
        return alarms | alarm
    return alarms & ~alarm if ends else alarms
