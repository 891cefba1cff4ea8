"""When to report and how long to sleep. Pure; counts wakes instead of trusting a clock that can jump."""

from .state import NO_SLIP

LONGEST_RETRY_S = 3600  # while a report is due oftener than that; else its own interval
DAY_S = 86400
SHORTEST_SLEEP_MS = 1000


def report_wakes(measure_interval_s: int, report_interval_s: int) -> int:
    """Say how many wakes there are from one report to the next, at least 1."""
    return max(1, report_interval_s // measure_interval_s)


def status_wakes(measure_interval_s: int) -> int:
    """Say how many wakes make a day, at least 1."""
    return max(1, DAY_S // measure_interval_s)


def retry_wakes(failures: int, measure_interval_s: int, report_interval_s: int, roll: float) -> int:
    """Say how many wakes to let pass before the next attempt: doubling, with jitter, and bounded.

    A failed attempt costs as much charge as six good reports.

    Args:
        failures: attempts that failed in a row, at least 1.
        measure_interval_s: seconds from wake to wake.
        report_interval_s: seconds from report to report when all is well.
        roll: random, 0..1, so that a whole town does not come back in one second.
    """
    longest_s = max(report_interval_s, LONGEST_RETRY_S)
    delay_s = min(measure_interval_s << min(failures - 1, 12), longest_s)
    return max(1, int(delay_s * (0.5 + roll / 2)) // measure_interval_s)


def sleep_ms(measure_interval_s: int, awake_ms: int, slip: int) -> int:
    """Say how long to sleep so that wakes keep their interval.

    Args:
        measure_interval_s: seconds from wake to wake.
        awake_ms: milliseconds that this wake has taken.
        slip: true seconds for each second of the sleep timer, thousandths.
    """
    return max(SHORTEST_SLEEP_MS, (measure_interval_s * 1000 - awake_ms) * NO_SLIP // slip)
