"""Tells devices what they may forget, because it is stored or refused, and what to be set to; holds up no writer."""

import asyncio
import contextlib
import time
from collections.abc import Mapping

import aiomqtt
import cbor2
import structlog

from ingest.backoff import Backoff, again
from ingest.configuration import Configuration
from ingest.crash import NEVER, Crash
from ingest.decode_cbor import VERSION
from ingest.errors import BrokerLostError
from ingest.health import Health
from ingest.link import Link
from ingest.metrics import Metrics
from ingest.owed import Acknowledgement, Owed
from ingest.reading import Range
from ingest.watchdog import StuckError, Watchdog

SENDER = "brimwatch-send"
STUCK_S = 5.0
AT_ONCE = 50
# After a round the sender rests so many times as long as the round took: acknowledgements take a quarter of the time
# at most, and what is committed meanwhile travels with what waits. A device alone is told at once.
REST = 3
LONGEST_REST_S = 0.25
DISCONNECT_TIMEOUT_S = 0.5
SOCKET_TIMEOUT_S = 2.5

log = structlog.get_logger()


class Sender:
    """The link for everything that goes to devices.

    Args:
        link: the broker.
        health: is told whether the link is there.
        metrics: is told what was sent.
        crash: where a test lets the process die.
        stuck_s: seconds after which a link over which no acknowledgement is taken is given up.
    """

    def __init__(
        self, link: Link, health: Health, metrics: Metrics, crash: Crash = NEVER, stuck_s: float = STUCK_S
    ) -> None:
        self._link = link
        self._health = health
        self._metrics = metrics
        self._crash = crash
        self._owed = Owed(dropped=metrics.acknowledgements_dropped.inc)
        self._configurations: dict[str, Configuration] = {}
        self._watchdog = Watchdog(stuck_s, metrics)
        metrics.acknowledgements_waiting.set_function(lambda: len(self._owed))
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def acknowledge(self, known: dict[str, list[Range]]) -> None:
        """Have devices told that these readings may be forgotten; returns at once.

        Where the link is away for long the oldest acknowledgements are dropped and counted: devices send again what was
        not acknowledged, and are answered then.

        Args:
            known: by device, the readings that are committed, stored or refused.
        """
        committed_at = time.monotonic()
        for device, ranges in known.items():
            self._owed.add(device, ranges, committed_at)
        if self._owed:
            self._watchdog.owed()
            self._idle.clear()
            self._news.set()

    def configure(self, wanted: Mapping[str, Configuration]) -> None:
        """Have devices told what to be set to, before what is acknowledged to them from now on; returns at once.

        What cannot be sent is forgotten: a device that has not taken its configuration is told at its next report.

        Args:
            wanted: by device.
        """
        if wanted:
            self._configurations.update(wanted)
            self._idle.clear()
            self._news.set()

    async def run(self) -> None:
        """Send until cancelled, and connect again whenever the broker was away."""
        backoff = Backoff()
        while True:
            try:
                await self._watchdog.guard(self._connect_and_send(backoff))
            except (aiomqtt.MqttError, BrokerLostError, ValueError) as error:
                delay_s = backoff.delay_s()
                sentence = str(self._link.lost(error) if not isinstance(error, BrokerLostError) else error)
                self._health.failed("send", sentence)
                if not isinstance(error, StuckError):
                    log.warning(again(sentence, delay_s), client=SENDER, dropped_count=self._owed.dropped_count)
                await asyncio.sleep(delay_s)

    async def finish(self, timeout_s: float) -> None:
        """Wait until everything is sent, but not longer than this."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), timeout_s)

    async def _connect_and_send(self, backoff: Backoff) -> None:
        async with self._client() as client:
            backoff.worked()
            self._watchdog.linked()
            self._metrics.linked(SENDER)
            # A link over which nothing was taken has yet to show that it works now.
            if not self._watchdog.stuck:
                self._health.works("send")
            await self._send_from(client)

    def _client(self) -> aiomqtt.Client:
        client = aiomqtt.Client(
            self._link.host,
            self._link.port,
            identifier=SENDER,
            tls_context=self._link.context(SENDER),
            timeout=10,
            keepalive=20,
            max_inflight_messages=AT_ONCE,
        )
        client.pending_calls_threshold = AT_ONCE
        # It connects in a thread that nothing can interrupt, and that the end of the process waits for.
        client._client.connect_timeout = SOCKET_TIMEOUT_S  # noqa: SLF001 - no public setting
        return client

    async def _send_from(self, client: aiomqtt.Client) -> None:
        watch = asyncio.ensure_future(_until_lost(client))
        try:
            while True:
                while self._owed or self._configurations:
                    began = time.monotonic()
                    await self._send_configurations(client)
                    if self._owed:
                        await self._send_some(client)
                    await asyncio.sleep(min(LONGEST_REST_S, REST * (time.monotonic() - began)))
                self._idle.set()
                self._news.clear()
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait((news, watch), return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if watch.done():
                    watch.result()
        finally:
            watch.cancel()
            # A broker that hangs must not hold up the end of the process.
            client.timeout = DISCONNECT_TIMEOUT_S

    async def _send_configurations(self, client: aiomqtt.Client) -> None:
        some = [self._configurations.popitem() for _ in range(min(AT_ONCE, len(self._configurations)))]
        sending = (
            client.publish(f"bins/v1/{device}/down/config", configuration.payload(), qos=1)
            for device, configuration in some
        )
        for answer in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            self._metrics.configured.inc()

    async def _send_some(self, client: aiomqtt.Client) -> None:
        some = self._owed.take(AT_ONCE)
        # Encoded now and not earlier: a device may set its clock by the time in it.
        now_s = int(time.time())
        self._crash.passes("before_acknowledgement")
        unanswered = dict(enumerate(some))
        try:
            sending = (self._send(client, place, unanswered, now_s) for place in range(len(some)))
            answers = await asyncio.gather(*sending, return_exceptions=True)
        finally:
            for owed in unanswered.values():
                self._owed.add(owed.device, owed.ranges, owed.committed_at)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        self._watchdog.taken(all_of_them=not self._owed)
        self._crash.passes("after_acknowledgement")

    async def _send(
        self, client: aiomqtt.Client, place: int, unanswered: dict[int, Acknowledgement], now_s: int
    ) -> None:
        owed = unanswered[place]
        await client.publish(f"bins/v1/{owed.device}/down/ack", cbor2.dumps([VERSION, now_s, owed.ranges]), qos=1)
        del unanswered[place]
        self._metrics.acknowledged.inc()
        self._metrics.acknowledgement_delay.observe(time.monotonic() - owed.committed_at)
        if self._watchdog.stuck:
            self._health.works("send")
        self._watchdog.taken(all_of_them=False)


async def _until_lost(client: aiomqtt.Client) -> None:
    # Nothing is subscribed: the iterator only ever ends, when the connection does.
    async for _ in client.messages:
        pass
