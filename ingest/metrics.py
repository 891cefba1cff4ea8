"""What the ingester counts and measures, for `/metrics` in Prometheus' text form; in seconds."""

import math
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from ingest.store import Stored

# From a millisecond, as one reading takes, to the minute after which something is wrong.
DELAYS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


class Metrics:
    """All figures of one process; counters begin at 0 when it starts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._linked: set[str] = set()
        self._reconnects = self._counter("reconnects", "Connections made again after one was lost.", "link")
        self.put_off = self._counter("messages_put_off", "Messages of devices over their limit, to be sent again.")
        self.devices_over_limit = self._gauge("devices_over_limit", "Devices that were put off in the last minute.")
        self.acknowledged = self._counter("acknowledgements_sent", "Messages to devices that the broker has taken.")
        self.acknowledgements_dropped = self._counter(
            "acknowledgements_dropped", "Messages to devices given up because too many waited."
        )
        self.acknowledgements_waiting = self._gauge("acknowledgements_waiting", "Messages to devices not taken yet.")
        self.acknowledgement_delay = self._histogram(
            "acknowledgement_delay_seconds",
            "From the commit until the broker took the message to the device.",
            DELAYS_S,
        )
        self.configured = self._counter("configurations_sent", "Configurations that the broker has taken.")
        self.stuck = self._counter("acknowledgements_stuck", "Times that commits went on and acknowledgements did not.")
        self.received = self._counter("messages_received", "Messages taken from the broker.", "client")
        self.queue = self._gauge("messages_waiting", "Messages that arrived and are not yet taken.", "client")
        self.batch = self._histogram("batch_messages", "Messages in one transaction.", BATCHES, "client")
        self.stored = self._counter("readings_stored", "Readings that are new in the database.", "client")
        self.duplicates = self._counter("readings_duplicate", "Readings that were stored already.", "client")
        self.rejected = self._counter("rejected", "Messages or readings that were refused.", "client", "reason")
        self.commit = self._histogram("commit_seconds", "From taking a batch to its commit.", DELAYS_S, "client")
        self.puback = self._histogram("puback_delay_seconds", "From taking a batch to its PUBACKs.", DELAYS_S, "client")
        self.received_lag = self._gauge("received_lag_seconds", "Age of the batch in hand; 0 for none.", "client")
        self.measured_lag = self._gauge(
            "measured_lag_seconds", "Since the newest reading of the last batch was measured; NaN before it.", "client"
        )

    def linked(self, link: str) -> None:
        """Note that a connection is there; the first one of each link is no reconnection."""
        reconnects = self._reconnects.labels(link)
        if link in self._linked:
            reconnects.inc()
        self._linked.add(link)

    def text(self) -> bytes:
        """Give all figures as they are now, in Prometheus' text form 0.0.4."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"brimwatch_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"brimwatch_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"brimwatch_{name}", meaning, labels, buckets=buckets, registry=self.registry)


class Meter:
    """What one stream of messages is measured with; made once for each client.

    Args:
        metrics: that it adds to.
        client: whose messages they are.
    """

    def __init__(self, metrics: Metrics, client: str) -> None:
        self._metrics = metrics
        self._client = client
        self._taken_at: float | None = None
        self._measured_s = math.nan
        self._received = metrics.received.labels(client)
        self._batch = metrics.batch.labels(client)
        self._stored = metrics.stored.labels(client)
        self._duplicates = metrics.duplicates.labels(client)
        self._commit = metrics.commit.labels(client)
        self._puback = metrics.puback.labels(client)
        metrics.received_lag.labels(client).set_function(self._since_taken)
        metrics.measured_lag.labels(client).set_function(lambda: time.time() - self._measured_s)

    def taken(self, messages: int) -> None:
        """Note that a batch is in our hands."""
        self._taken_at = time.monotonic()
        self._received.inc(messages)
        self._batch.observe(messages)

    def committed(self, stored: Stored) -> None:
        """Note that the batch in our hands is in the database, and what became of it."""
        self._commit.observe(self._since_taken())
        self._stored.inc(stored.readings)
        self._duplicates.inc(stored.duplicates)
        for reason, count in stored.reasons.items():
            self._metrics.rejected.labels(self._client, reason).inc(count)
        if stored.newest_ms is not None:
            self._measured_s = stored.newest_ms / 1000

    def acknowledged(self) -> None:
        """Note that the broker has been told of the batch, and our hands are empty."""
        self._puback.observe(self._since_taken())
        self._taken_at = None

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Have the messages that wait counted whenever somebody asks."""
        self._metrics.queue.labels(self._client).set_function(waiting)

    def _since_taken(self) -> float:
        return 0.0 if self._taken_at is None else time.monotonic() - self._taken_at
