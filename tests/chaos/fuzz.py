"""Rubbish of all kinds through the real broker into the real ingester, beside a good device that must not notice.

`make prove PROOF=fuzz` sends 1,000,000 messages, `make test` some thousands.
"""

import itertools
import math
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from firmware.smartbin import codec
from ingest.decode import decode
from ingest.reading import Decoded
from simulator.stack.errors import StackError
from simulator.stack.process import Child, free_port, wait_until
from tests.chaos.books import Books
from tests.chaos.fuzzer import Drawn, Fuzzer
from tests.chaos.publisher import Publisher
from tests.chaos.stack import ROOT, Stack

MESSAGES = 1_000_000
SENDERS = 4
STREAMS = ("readings", "backlog")
GOOD_EPOCH, LAST_EPOCH = 3_999_999_999, 4_000_000_000
ALONE_S = 15.0
RATE_PER_S = 3000
"""Thirty times what a device may send; at more, the two cores of a small machine are busy with making rubbish."""
AT_ONCE = 100
LOOK_EVERY = 10
AHEAD = 2000
"""So many messages may wait: far fewer than the broker keeps, for rubbish is not sent again."""
LIMIT_S = 60.0
CLOCK_MS = 3_600_000
"""A message of which something else would be said within this time is not sent: our clock is not the ingester's."""
GOOD_LIMIT_MS = 50.0
"""For 99 of 100 readings of the good device."""
RECEIVED = re.compile(r"^brimwatch_messages_received_total\{.*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What rubbish did.

    Attributes:
        messages: that were sent.
        crashes: ends of the ingester's process.
        stalls: messages that were not taken, or are held back by the broker.
        differences: what is otherwise in the database than it has to be.
        unforeseen: refusals whose reason is an error in the ingester.
        good_ms: each reading of the good device, from its publication to its acknowledgement.
        good_alone_ms: the same without the rubbish.
        good_busy_ms: the same beside as many good messages of the same senders.
        seconds: that the rubbish took.
    """

    messages: int
    crashes: int
    stalls: int
    differences: list[str]
    unforeseen: int
    good_ms: list[float]
    good_alone_ms: list[float]
    good_busy_ms: list[float]
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.crashes or self.stalls or self.differences or self.unforeseen)


class Fuzz:
    """Senders of rubbish, a good device and an ingester.

    Args:
        stack: the servers.
        seed: draws the messages.
    """

    def __init__(self, stack: Stack, seed: int) -> None:
        self._stack = stack
        self._fuzzer = Fuzzer(seed)
        self._good, *self._senders = stack.enrol("good", *(f"fuzz-{number}" for number in range(SENDERS)))
        self._books = Books([bundle.folder.name for bundle in self._senders])
        self._port = free_port()
        self._last = 0
        self._good_seq = 0

    def go(self, messages: int, alone_s: float) -> Outcome:
        """Let the good device work alone, beside good messages, then beside the rubbish, and look at what became of it.

        Args:
            messages: how many are sent.
            alone_s: how long the good device is alone, and how long beside good messages.
        """
        alone: list[float] = []
        busy: list[float] = []
        beside: list[float] = []
        began = time.monotonic()
        with self._ingester() as ingester, ExitStack() as connections:
            try:
                with self._pulse("alone", alone):
                    time.sleep(alone_s)
                publishers = [connections.enter_context(Publisher(bundle)) for bundle in self._senders]
                with self._pulse("busy", busy):
                    self._send(publishers, round(RATE_PER_S * alone_s), self._draw_good)
                began = time.monotonic()
                with self._pulse("beside", beside):
                    self._send(publishers, messages, self._draw)
                seconds = time.monotonic() - began
                # In each stream every message waits behind those before it.
                stalls = int(not self._takes_more(publishers[0]))
            except (OSError, StackError):
                if ingester.running:
                    raise
            if not ingester.running:
                words = [f"the ingester ended: {ingester.last_words()}"]
                return Outcome(messages, 1, 0, words, 0, beside, alone, busy, time.monotonic() - began)
            ingester.stop()
        with self._ingester():
            # What the broker holds back comes again, before what is new.
            with Publisher(self._senders[0]) as publisher:
                stalls += int(not self._takes_more(publisher))
            stalls += self._received() - len(STREAMS)
        unforeseen = self._stack.rows("select count(*) from rejects where detail like 'cannot be read: %%'")[0][0]
        differences = self._books.differences(self._stack)
        return Outcome(messages, 0, stalls, differences, unforeseen, beside, alone, busy, seconds)

    def _send(self, publishers: list[Publisher], messages: int, draw: Callable[[str], Drawn]) -> None:
        sent, earlier, began = 0, self._received(), time.monotonic()
        for turn, publisher in enumerate(itertools.cycle(publishers)):
            if sent == messages:
                return
            some = [draw(publisher.ref) for _ in range(min(AT_ONCE, messages - sent))]
            time.sleep(max(0.0, began + sent / RATE_PER_S - time.monotonic()))
            publisher.publish([(drawn.kind, drawn.payload, drawn.retain) for drawn in some])
            sent += len(some)
            if turn % LOOK_EVERY == 0:
                self._wait_until_received(earlier + sent - AHEAD)

    def _draw_good(self, ref: str) -> Drawn:
        self._good_seq += 1
        row = (self._good_seq, int(time.time()), 640, 4, 9, 123, 3600, 1, 0)
        drawn = Drawn("readings", codec.encode_readings(GOOD_EPOCH, 3600, [row]), retain=False)
        self._books.book(_decoded(ref, drawn, int(1000 * time.time())))
        return drawn

    def _draw(self, ref: str) -> Drawn:
        while True:
            drawn = self._fuzzer.draw()
            now_ms = int(1000 * time.time())
            decoded = _decoded(ref, drawn, now_ms)
            ahead = any(reading.measured_ms > now_ms for reading in decoded.readings)
            late = any(refusal.reason == "time" for refusal in decoded.refusals)
            if not ahead and not (late and _decoded(ref, drawn, now_ms + CLOCK_MS) != decoded):
                self._books.book(decoded)
                return drawn

    def _takes_more(self, publisher: Publisher) -> bool:
        """Say whether a good reading is stored, in each stream."""
        for kind in STREAMS:
            self._last += 1
            row = (self._last, int(time.time()), 640, 4, 9, 123, 3600, 1, 0)
            drawn = Drawn(kind, codec.encode_readings(LAST_EPOCH, 3600, [row]), retain=False)
            self._books.book(_decoded(publisher.ref, drawn, int(1000 * time.time())))
            publisher.publish([(drawn.kind, drawn.payload, drawn.retain)])
        query = "select count(*) from readings where epoch = %s"
        with suppress(StackError):
            wait_until(
                lambda: bool(self._stack.rows(query, LAST_EPOCH)[0][0] >= self._last),
                timeout_s=LIMIT_S,
                what="It stalls",
            )
            return True
        return False

    @contextmanager
    def _ingester(self) -> Iterator[Child]:
        limits = {"BRIMWATCH_DEVICE_MESSAGES_PER_S": "0", "BRIMWATCH_DEVICE_READINGS_PER_S": "0"}
        ingester = self._stack.start_ingester({**limits, "BRIMWATCH_HEALTH_PORT": str(self._port)})
        try:
            wait_until(self._is_ready, timeout_s=LIMIT_S, what="The ingester is not ready", child=ingester)
            yield ingester
        finally:
            ingester.kill()

    @contextmanager
    def _pulse(self, name: str, delays: list[float]) -> Iterator[None]:
        """Let the good device work during the block, and add its delays at the end, without the first."""
        log = self._stack.folder / f"pulse-{name}.log"
        words = ["-m", "tests.chaos.pulse", str(self._good.folder), self._good.host, str(self._good.port)]
        child = Child([sys.executable, *words], name="good device", log=log, cwd=ROOT)
        try:
            wait_until(
                lambda: b"\n" in log.read_bytes(), timeout_s=LIMIT_S, what="The good device is not heard", child=child
            )
            yield
            if not child.running:
                raise StackError(f"The good device ended: {child.last_words()}")
        finally:
            child.kill()
        delays += [float(line) for line in log.read_text().splitlines()[1:]]

    def _ask(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=LIMIT_S) as answer:
            return str(answer.read().decode())

    def _is_ready(self) -> bool:
        with suppress(OSError):
            return bool(self._ask("/readyz"))
        return False

    def _wait_until_received(self, due: int) -> None:
        wait_until(lambda: self._received() >= due, timeout_s=LIMIT_S, what="Rubbish was not taken")

    def _received(self) -> int:
        return int(sum(float(count) for count in RECEIVED.findall(self._ask("/metrics"))))


def _decoded(ref: str, drawn: Drawn, now_ms: int) -> Decoded:
    return decode(f"bins/v1/{ref}/up/{drawn.kind}", drawn.payload, retain=drawn.retain, now_ms=now_ms)


def p99_ms(delays_ms: list[float]) -> float:
    """Say what 99 of 100 delays do not exceed; infinity without any."""
    if not delays_ms:
        return math.inf
    return sorted(delays_ms)[math.ceil(0.99 * len(delays_ms)) - 1]


def prove(tell: Callable[[str], None]) -> tuple[dict[str, float], bool]:
    """Send a million messages.

    Args:
        tell: takes lines for people.

    Returns:
        The figures by name, and whether they are as they should be.
    """
    with Stack() as stack:
        outcome = Fuzz(stack, seed=1).go(MESSAGES, ALONE_S)
    for difference in outcome.differences[:20]:
        tell(difference)
    figures: dict[str, float] = {
        "fuzz.messages": outcome.messages,
        "fuzz.messages_per_s": round(outcome.messages / outcome.seconds),
        "fuzz.crashes": outcome.crashes,
        "fuzz.stalls": outcome.stalls,
        "fuzz.without_reason": len(outcome.differences) + outcome.unforeseen,
        "fuzz.good_readings": len(outcome.good_ms),
        "fuzz.good_p99_ms": p99_ms(outcome.good_ms),
        "fuzz.good_p99_alone_ms": p99_ms(outcome.good_alone_ms),
        "fuzz.good_p99_beside_good_ms": p99_ms(outcome.good_busy_ms),
    }
    return figures, outcome.clean and figures["fuzz.good_p99_ms"] <= GOOD_LIMIT_MS
