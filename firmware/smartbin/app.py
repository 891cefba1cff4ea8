"""One wake: measure, keep, report when due, wait for the server's acknowledgement, forget, sleep."""

from . import events, schedule
from . import state as rtc_state
from .clock import Clock, Deadline
from .delivery import Delivery
from .link import WifiLink
from .measure import Bench
from .mqtt import Client, MqttError
from .outbox import Outbox
from .permanent import Permanent
from .remote import Remote
from .version import FIRMWARE

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from typing import Callable

    from hardware import Time


_ETIMEDOUT = 116
_MOST_UNFINISHED = 3  # wakes in a row that died with their memory: the battery cannot carry the radio


class App:
    """The device's program; everything that touches hardware comes in.

    Args:
        remote: the settings, and what the server changes of them.
        outbox: where readings wait.
        permanent: what outlives the battery.
        bench: the sensors.
        link: the way to the broker.
        clock: Unix time.
        time: the module `time`.
        roll: gives a random number, 0..1.
        log: takes a line of text.
        feed: calms the watchdog.
        reset_cause: why this wake began, as in `up/status`.
    """

    def __init__(
        self,
        *,
        remote: Remote,
        outbox: Outbox,
        permanent: Permanent,
        bench: Bench,
        link: WifiLink,
        clock: Clock,
        time: "Time",
        roll: "Callable[[], float]",
        log: "Callable[[str], None]",
        feed: "Callable[[], None]",
        reset_cause: str,
    ) -> None:
        self._remote = remote
        self._config = remote.config
        self._outbox = outbox
        self._state = outbox.state
        self._permanent = permanent
        self._bench = bench
        self._link = link
        self._clock = clock
        self._time = time
        self._roll = roll
        self._log = log
        self._feed = feed
        self._reset_cause = reset_cause
        self._was_interrupted = False
        self._may_be_subscribed = False
        self._newest_seq = 0
        self._battery_mv: "int | None" = None

    def run(self) -> int:
        """Go through one wake; says how many milliseconds to sleep."""
        started = self._time.ticks_ms()
        unfinished = self._permanent.unfinished_count()
        if self._outbox.lost_memory:
            self._permanent.set_unfinished(unfinished + 1)
        urgent = self._measure()
        if self._is_due(urgent) and unfinished < _MOST_UNFINISHED:
            self._report()
        elif self._state.failures or unfinished:
            self._outbox.settle()  # a battery that is failing takes RTC memory with it
        self._outbox.save()
        self._permanent.set_unfinished(0)
        awake_ms = self._time.ticks_diff(self._time.ticks_ms(), started)
        return schedule.sleep_ms(self._config.measure_interval_s, awake_ms, self._state.slip)

    def _measure(self) -> bool:
        """Take and keep one reading; says whether it must be reported at once."""
        state = self._state
        row = self._bench.read(self._config, self._clock.now())
        self._battery_mv = row[6]
        alarms = events.alarms(row, state.alarms, self._config)
        urgent = bool(alarms & ~state.alarms) or events.has_jumped(row, state.last_distance_mm, self._config.jump_mm)
        state.alarms = alarms
        state.last_distance_mm = row[2] or state.last_distance_mm
        self._count_wake()
        self._newest_seq = self._outbox.add(row)
        self._log("recorded epoch=%d seq=%d distance_mm=%s" % (state.epoch, self._newest_seq, row[2]))
        self._feed()
        return urgent

    def _count_wake(self) -> None:
        state, config = self._state, self._config
        state.wakes_since_report += 1
        state.wakes_since_status += 1
        # They were counted by the interval of then, and a new configuration can make days of minutes.
        most = schedule.retry_wakes(max(1, state.failures), config.measure_interval_s, config.report_interval_s, roll=1)
        state.retry_wakes = max(0, min(state.retry_wakes, most) - 1)

    def _is_due(self, urgent: bool) -> bool:
        state, config = self._state, self._config
        if state.failures:
            return urgent or not state.retry_wakes
        every = schedule.report_wakes(config.measure_interval_s, config.report_interval_s)
        is_asked = self._outbox.lost_memory or state.has(rtc_state.REPORT_NEXT) or self._has_new_config()
        return urgent or is_asked or state.wakes_since_report >= every

    def _has_new_config(self) -> bool:
        # Reported at once: what was promised for the next report was the old configuration's.
        return self._permanent.told_config_version() != self._config.config_version

    def _report(self) -> None:
        deadline = Deadline(self._time, self._config.link_budget_s * 1000)
        delivery = None
        self._expect_failure()
        try:
            self._link.up(deadline)
            self._set_clock_first()
            self._feed()
            delivery = self._deliver_over(self._link.open(deadline))
            self._feed()
            self._talk(delivery)
        except (OSError, ValueError, MqttError, MemoryError) as error:
            self._log("report: %r" % (error,))
        finally:
            self._link.down()
        if delivery and delivery.has_progress:
            self._succeed()
        self._outbox.settle()
        self._state.put(rtc_state.REPORT_NEXT, on=not self._state.failures and self._outbox.waiting_count() > 0)

    def _deliver_over(self, client: Client) -> Delivery:
        return Delivery(
            client,
            self._config,
            self._outbox,
            self._remote,
            newest_seq=self._newest_seq,
            next_report_s=self._next_report_s(),
            time=self._time,
            log=self._log,
            feed=self._feed,
        )

    def _expect_failure(self) -> None:
        """Save the failure beforehand: a wake that dies with the radio on must back off, too."""
        state, config = self._state, self._config
        self._was_interrupted = bool(state.failures) or state.has(rtc_state.REPORT_NEXT)
        self._may_be_subscribed = state.has(rtc_state.SUBSCRIBED)
        state.failures = min(state.failures + 1, 255)
        state.retry_wakes = schedule.retry_wakes(
            state.failures, config.measure_interval_s, config.report_interval_s, self._roll()
        )
        # The session may be there without its subscription: subscribe anew next time.
        state.put(rtc_state.SUBSCRIBED, on=False)
        self._outbox.save()

    def _succeed(self) -> None:
        state = self._state
        state.failures = state.retry_wakes = state.wakes_since_report = 0
        state.put(rtc_state.SUBSCRIBED, on=True)

    def _set_clock_first(self) -> None:
        # Certificates have dates, and no reading is sent before its time is final.
        if self._state.has(rtc_state.SYNCED):
            return
        true_s = self._link.true_time()
        if true_s is None:
            self._log("report: no time server answers")
            raise OSError(_ETIMEDOUT)
        self._outbox.set_clock(true_s)

    def _talk(self, delivery: Delivery) -> None:
        """Hand over the last hour, then what we say of ourselves, then what is older."""
        delivery.open(is_subscribed=self._may_be_subscribed, was_interrupted=self._was_interrupted)
        delivery.send_recent()
        if self._owes_status():
            self._send_status(delivery)
        delivery.send_spooled()
        if self._remote.refused:  # since then
            self._send_status(delivery)
        delivery.close()

    def _send_status(self, delivery: Delivery) -> None:
        status = self._status()
        self._remote.refused = ""  # while this one is told, another may be refused
        delivery.send_status(status)
        self._state.wakes_since_status = 0
        self._permanent.set_told_config_version(self._config.config_version)

    def _owes_status(self) -> bool:
        is_daily = self._state.wakes_since_status >= schedule.status_wakes(self._config.measure_interval_s)
        has_news = bool(self._remote.refused) or self._has_new_config()
        return is_daily or has_news or self._outbox.lost_memory or self._reset_cause != "deepsleep"

    def _status(self) -> "dict[str, object]":
        return {
            "firmware": FIRMWARE,
            "reset_cause": self._reset_cause,
            "boot_count": self._state.boot_count,
            "waiting_count": self._outbox.waiting_count(),
            "dropped_count": self._permanent.dropped_count(),
            "torn_count": self._state.torn_count,
            "rssi_dbm": self._link.rssi_dbm(),
            "battery_mv": self._battery_mv,
            "next_report_s": self._next_report_s(),
            "config_version": self._config.config_version,
            "config_refused": self._remote.refused or None,
        }

    def _next_report_s(self) -> int:
        config = self._config
        every = schedule.report_wakes(config.measure_interval_s, config.report_interval_s)
        return every * config.measure_interval_s
