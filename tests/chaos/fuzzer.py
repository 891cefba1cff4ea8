"""Messages that nobody would send, drawn from a seed: golden and bad examples, mangled. Pure; used by `fuzz`."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.bad_json import handmade
from tests.contract.golden import load, payload_of

LARGEST = 200_000
"""The broker ends the connection at 262,144 bytes, so that such a message never gets far."""
LARGE = 4096
KINDS = ("readings", "backlog", "status")
TOKENS = (
    b"null", b"true", b"-1", b"1e999", b"NaN", b'"\\ud800"', b'"\\u0000"', b"{}", b"[]", b"99999999999999999999",
    b"1772366400", b"640", b'"seq":1', b'"seq":2', b'"device":"d-9"', b'"epoch":4294967296', b"\xff", b"\0", b",", b'"',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message.

    Attributes:
        kind: last level of its topic.
        payload: what it holds.
        retain: whether it is published with the retain flag.
    """

    kind: str
    payload: bytes
    retain: bool


class Fuzzer:
    """Draws messages; the same seed gives the same ones.

    Args:
        seed: any number.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - repeatable messages, not secrets
        readings = load("v1/readings")
        examples = [*readings["cbor"], *readings["json"], *load("v1/status"), *load("v1/refused")]
        payloads = [payload_of(example) for example in examples]
        bad = [each.payload for each in handmade() if len(each.payload) <= LARGEST]
        self._good = [payload for payload in payloads if len(payload) <= LARGE]
        self._bad = [payload for payload in bad if len(payload) <= LARGE]
        self._large = [payload for payload in (*payloads, *bad) if len(payload) > LARGE]
        self._json = [payload for payload in self._good if payload[:1] == b"{"]
        self._ways: tuple[tuple[Callable[[], bytes], float], ...] = (
            (self._flipped, 0.45),
            (lambda: self._rng.choice(self._bad), 0.25),
            (lambda: self._rng.randbytes(self._rng.randrange(64)), 0.08),
            (self._spliced, 0.1),
            (self._tokens_swapped, 0.1),
            (lambda: self._rng.choice(self._good), 0.019),
            (lambda: self._rng.choice(self._large), 0.001),
        )

    def draw(self) -> Drawn:
        """Give the next message."""
        rng = self._rng
        (way,) = rng.choices([way for way, _ in self._ways], [weight for _, weight in self._ways])
        (kind,) = rng.choices(KINDS, (6, 3, 1))
        payload = way()
        # Retained large ones would stay at the broker.
        return Drawn(kind, payload, len(payload) <= LARGE and rng.random() < 0.005)

    def _flipped(self) -> bytes:
        payload = bytearray(self._rng.choice(self._good))
        for _ in range(self._rng.randint(1, 4)):
            if payload:
                payload[self._rng.randrange(len(payload))] = self._rng.randrange(256)
        return bytes(payload)

    def _spliced(self) -> bytes:
        head, tail = self._rng.choice(self._good), self._rng.choice(self._good)
        return head[: self._rng.randint(0, len(head))] + tail[self._rng.randint(0, len(tail)) :]

    def _tokens_swapped(self) -> bytes:
        payload = self._rng.choice(self._json)
        places = [place for place, byte in enumerate(payload) if byte in b":,"]
        place = self._rng.choice(places)
        end = self._rng.choice([other for other in (*places, len(payload) - 1) if other > place])
        return payload[: place + 1] + self._rng.choice(TOKENS) + payload[end:]
