"""One conversation with the server: hand over readings, hear that they are stored, forget them; take what it sends."""

from . import codec
from .clock import Deadline, is_plausible
from .config import Config
from .mqtt import Client
from .outbox import Outbox
from .remote import Remote

TYPE_CHECKING = False  # `typing` does not exist on the device
if TYPE_CHECKING:
    from typing import Callable

    from hardware import Time

_QUIET_MS = 200  # after which the broker has handed over what it queued for us
_LOOK_EVERY_MS = 500


class Delivery:
    """What goes over one connection.

    Args:
        client: not yet connected.
        config: the settings.
        outbox: where readings wait.
        remote: takes a configuration.
        newest_seq: of the reading that was taken in this wake.
        next_report_s: promised to the server with every message.
        time: the module `time`.
        log: takes a line of text.
        feed: calms the watchdog.
    """

    def __init__(
        self,
        client: Client,
        config: Config,
        outbox: Outbox,
        remote: Remote,
        *,
        newest_seq: int,
        next_report_s: int,
        time: "Time",
        log: "Callable[[str], None]",
        feed: "Callable[[], None]",
    ) -> None:
        self._client = client
        self._config = config
        self._outbox = outbox
        self._remote = remote
        self._newest_seq = newest_seq
        self._next_report_s = next_report_s
        self._time = time
        self._log = log
        self._feed = feed
        self._acked: "list[tuple[int, int, int]]" = []
        self.has_progress = False  # the server acknowledged something that was sent

    def open(self, *, is_subscribed: bool, was_interrupted: bool) -> None:
        """Resume the session.

        Args:
            is_subscribed: the last conversation ended well, so that a session that is still there has our subscription.
            was_interrupted: it did not, so that acknowledgements may have come while the device slept.
        """
        client = self._client
        resumed = client.connect(self._config.device, self._config.link_budget_s * 2)
        if not resumed or not is_subscribed:
            client.subscribe(self._topic("down/+"))
        if resumed and was_interrupted:
            message = client.receive(_QUIET_MS)
            while message is not None:
                self._read(message)
                message = client.receive(_QUIET_MS)
            self._outbox.forget(self._is_acked)

    def send_recent(self) -> None:
        """Hand over what lies in RTC memory, the last hour first."""
        for name, epoch, rows in self._outbox.ring_batches():
            self._deliver(name, epoch, rows)
            self._outbox.forget(self._is_acked)

    def send_spooled(self) -> None:
        """Hand over what lies on flash, the oldest first, until it is empty."""
        place = self._outbox.place()
        while True:
            batches, reached = self._outbox.spool_batches()
            if reached == place:
                return
            for name, epoch, rows in batches:
                self._deliver(name, epoch, rows)
            self._outbox.forget_spooled(reached)
            del self._acked[:]
            place = reached

    def send_status(self, status: "dict[str, object]") -> None:
        """Hand over what the device says of itself; done when the broker has it."""
        packet_id = self._client.publish(self._topic("up/status"), codec.encode_status(status))
        patience = Deadline(self._time, self._config.ack_timeout_s * 1000)
        while not self._client.is_confirmed(packet_id):
            message = self._client.receive(patience.left_ms())
            if message is not None:
                self._read(message)

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()

    def _topic(self, name: str) -> str:
        return codec.topic(self._config.device, name)

    def _deliver(self, name: str, epoch: int, rows: "list[tuple[int | None, ...]]") -> None:
        """Send rows and wait until the server has them all.

        Raises:
            OSError: it did not say so in time; they are kept.
        """
        rows = [row for row in rows if not self._is_acked(epoch, row[0] or 0)]
        if not rows:
            return
        client, patience_ms = self._client, self._config.ack_timeout_s * 1000
        packet_id = client.publish(self._topic(name), codec.encode_readings(epoch, self._next_report_s, rows))
        patience = Deadline(self._time, patience_ms)
        was_resent = False
        while not all(self._is_acked(epoch, row[0] or 0) for row in rows):
            message = client.receive(min(patience.left_ms(), _LOOK_EVERY_MS))
            if message is not None:
                self._read(message)
            elif not was_resent and not client.is_confirmed(packet_id) and patience.left_ms() < patience_ms // 2:
                client.resend()
                was_resent = True
            self._feed()
        self.has_progress = True

    def _read(self, message: "tuple[str, bytes]") -> None:
        topic, payload = message
        if topic == self._topic("down/ack"):
            self._read_ack(payload)
        elif topic == self._topic("down/config"):
            self._remote.take(payload)

    def _read_ack(self, payload: bytes) -> None:
        try:
            server_time, ranges = codec.decode_ack(payload)
        except ValueError as error:
            self._log("%s" % (error,))
            return
        self._acked.extend(ranges)
        # Only an acknowledgement of the reading taken in this wake cannot have waited in a queue.
        if self._covers_newest(ranges) and is_plausible(server_time):
            self._outbox.set_clock(server_time)
        for acked in ranges:
            self._log("acked epoch=%d first=%d last=%d" % acked)

    def _covers_newest(self, ranges: "list[tuple[int, int, int]]") -> bool:
        return _covers(ranges, self._outbox.state.epoch, self._newest_seq)

    def _is_acked(self, epoch: int, seq: int) -> bool:
        return _covers(self._acked, epoch, seq)


def _covers(ranges: "list[tuple[int, int, int]]", epoch: int, seq: int) -> bool:
    return any(known == epoch and first <= seq <= last for known, first, last in ranges)
