"""Unix time on a chip that may count from 2000, and one deadline for everything the radio does."""

from .version import BUILT_AT, LATEST_AT

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from hardware import Rtc, Time


YEAR_2000 = 946684800  # Unix seconds at which the ESP32's clock is zero
_ETIMEDOUT = 116


class Clock:
    """The chip's clock in Unix seconds, whatever its own epoch is.

    Args:
        time: the module `time`.
        rtc: `machine.RTC()`.
    """

    def __init__(self, time: "Time", rtc: "Rtc") -> None:
        self._time = time
        self._rtc = rtc
        self._epoch = YEAR_2000 if time.gmtime(0)[0] == 2000 else 0  # noqa: PLR2004 - the year

    def now(self) -> int:
        """Give Unix seconds, UTC; near the year 2000 while the clock was never set."""
        return int(self._time.time()) + self._epoch

    def is_set(self) -> bool:
        """Say whether the clock shows a time that can be true."""
        return is_plausible(self.now())

    def set(self, unix_s: int) -> None:
        """Set the clock."""
        year, month, day, hour, minute, second, weekday = self._time.gmtime(unix_s - self._epoch)[:7]
        self._rtc.datetime((year, month, day, weekday, hour, minute, second, 0))


class Deadline:
    """An instant after which nothing may go on; `time` is the module."""

    def __init__(self, time: "Time", budget_ms: int) -> None:
        self._time = time
        self._ends = time.ticks_add(time.ticks_ms(), budget_ms)

    def left_ms(self) -> int:
        """Give the milliseconds left.

        Raises:
            OSError: ETIMEDOUT, none are left.
        """
        left = self._time.ticks_diff(self._ends, self._time.ticks_ms())
        if left <= 0:
            raise OSError(_ETIMEDOUT)
        return left

    def left_s(self) -> float:
        """Give the seconds left, for `settimeout`."""
        return self.left_ms() / 1000


def is_plausible(unix_s: int) -> bool:
    """Say whether a time lies after this program was built and before 2100."""
    return BUILT_AT <= unix_s < LATEST_AT


def learn_slip(slip: int, true_s: int, counted_s: int) -> int:
    """Learn how the sleep timer runs: it is an RC oscillator that is up to some percent wrong.

    Args:
        slip: what is believed, thousandths.
        true_s: seconds that went by between two settings of the clock.
        counted_s: seconds that the chip counted meanwhile.

    Returns:
        True seconds for each counted second in thousandths, 900..1100; a measurement beyond that is not believed.
    """
    if counted_s < 1800:  # noqa: PLR2004 - half an hour: below it, whole seconds are too coarse
        return slip
    measured = true_s * 1000 // counted_s
    if not 900 <= measured <= 1100:  # noqa: PLR2004 - thousandths
        return slip
    return (slip * 3 + measured) // 4
