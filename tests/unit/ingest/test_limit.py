import pytest

from ingest.limit import Limit
from ingest.metrics import Metrics


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def read(self) -> float:
        """Give the time as it was turned."""
        return self.now_s


def passed(limit: Limit, device: str, messages: int, readings: int = 1) -> int:
    """Send messages one after the other; give how many passed."""
    topic = f"bins/v1/{device}/up/readings"
    count = 0
    for _ in range(messages):
        allowance = limit.admit(topic)
        if allowance is not None:
            limit.charge(allowance, readings, 0)
            count += 1
    return count


def test_device_may_send_a_minutes_worth_at_once_and_then_its_rate() -> None:
    clock = Clock()
    limit = Limit(10, 0, Metrics(), clock.read)

    burst = passed(limit, "mad", 1000)
    clock.now_s += 3
    later = passed(limit, "mad", 1000)

    assert (burst, later) == (600, 30)


def test_other_devices_pass() -> None:
    limit = Limit(10, 0, Metrics(), Clock().read)
    passed(limit, "mad", 5000)

    assert passed(limit, "good", 100) == 100


def test_readings_count_too() -> None:
    clock = Clock()
    limit = Limit(0, 100, Metrics(), clock.read)

    burst = passed(limit, "mad", 1000, readings=200)
    clock.now_s += 4
    later = passed(limit, "mad", 1000, readings=200)

    assert (burst, later) == (30, 2)


def test_readings_and_backlog_of_a_device_count_together() -> None:
    limit = Limit(10, 0, Metrics(), Clock().read)
    passed(limit, "mad", 5000)

    assert limit.admit("bins/v1/mad/up/backlog") is None


@pytest.mark.parametrize(
    "topic", ["v3/bins@ttn/devices/{}/up", "application/17c82e96/device/24e124136b01234{}/event/up"]
)
def test_each_lorawan_device_counts_for_itself(topic: str) -> None:
    limit = Limit(10, 0, Metrics(), Clock().read)
    mad = [limit.admit(topic.format(1)) is not None for _ in range(5000)]

    assert mad.count(True) == 600
    assert limit.admit(topic.format(2)) is not None


def test_what_waited_while_something_was_away_passes_and_is_then_forgotten() -> None:
    limit = Limit(10, 10, Metrics(), Clock().read)
    backlog = [limit.admit("bins/v1/d-1/up/readings", behind=True) for _ in range(5000)]
    for allowance in backlog:
        assert allowance is not None
        limit.charge(allowance, 1, 100)

    limit.caught_up()

    assert passed(limit, "d-1", 1000) == 600


def test_flood_is_put_off_even_then_once_it_is_more_than_the_broker_can_hold() -> None:
    limit = Limit(10, 0, Metrics(), Clock().read)

    let_in = sum(limit.admit("bins/v1/mad/up/readings", behind=True) is not None for _ in range(1_010_000))

    assert let_in == pytest.approx(1_000_600, abs=1)


def test_large_messages_count_as_many_readings() -> None:
    limit = Limit(0, 100, Metrics(), Clock().read)
    count = 0
    while allowance := limit.admit("bins/v1/mad/up/readings"):
        limit.charge(allowance, 1, 64_000)
        count += 1

    assert count == 3  # each as much as 2,000 readings, of 6,000 in a minute


def test_zero_is_no_limit() -> None:
    assert passed(Limit(0, 0, Metrics(), Clock().read), "fast", 100_000, readings=200) == 100_000


def test_device_that_calmed_down_is_forgotten_and_no_longer_over_its_limit() -> None:
    clock, metrics = Clock(), Metrics()
    limit = Limit(10, 0, metrics, clock.read)
    passed(limit, "mad", 5000)
    over = metrics.text()

    clock.now_s += 61
    passed(limit, "good", 1)

    assert b"brimwatch_devices_over_limit 1.0" in over
    assert b"brimwatch_messages_put_off_total 4400.0" in over
    assert b"brimwatch_devices_over_limit 0.0" in metrics.text()
    assert passed(limit, "mad", 5000) == 600
