"""What Milesight's payloads say. To add one: a line in the table."""

import pytest

from ingest.lorawan.milesight import decode
from ingest.lorawan.uplink import Measurement, PayloadError, Said
from ingest.reading import BLIND_ZONE, TILTED

EXAMPLES = {
    "laser, every field": ("01755c 036719ff 04824408 050000", Said((Measurement(2116, -23.1),), 92)),
    "a degree below zero": ("0367f6ff 0482e803", Said((Measurement(1000, -1.0),))),
    "a tenth below zero is no fault": ("0367ffff 0482e803", Said((Measurement(1000, -0.1),))),
    "tilted": ("04824408 050001", Said((Measurement(2116, flags=TILTED),))),
    "alarm of temperature and distance": ("8367580201 8482410601", Said((Measurement(1601, 60.0),))),
    "alarm released": ("8482410600", Said((Measurement(1601),))),
    "jump": ("9482dc05b4fe02", Said((Measurement(1500),))),
    "no target": ("036705010482fdff", Said((Measurement(None, 26.1),))),
    "sensor failed": ("0482ffff", Said((Measurement(None),))),
    "switched off": ("0482feff", Said((Measurement(None),))),
    "no target, said as an exception": ("b482fdff02", Said((Measurement(None),))),
    "sensor failed, said as an exception": ("b482ffff03", Said((Measurement(None),))),
    "nearer than it can measure": ("b482640001", Said((Measurement(None, flags=BLIND_ZONE),))),
    "nearer, beside a distance": ("b482640001 04826400", Said((Measurement(None, flags=BLIND_ZONE),))),
    "no longer too near": ("b482900100", Said((Measurement(400),))),
    "too near to be true is kept as measured": ("04820000", Said((Measurement(0),))),
    "less than nothing": ("0482f6ff", Said((Measurement(-10),))),
    "only the battery": ("017564", Said((), 100)),
    "a battery that cannot be": ("0175ff 04824408", Said((Measurement(2116),))),
    "what it says as it joins": ("ff0bff ff0101 ff166756d19003160010 ff090310 ff0a0101 ff0f00", Said()),
    "answers to settings": ("fe02580f ff03b004 f91300 f8390a0000", Said()),
    "radar with voltage and strength": ("01b9480e 04824408 06c7a00f", Said((Measurement(2116),))),
    "history": (
        "20ce 406ba469 e803 f6ff 0000 00 20ce 5079a469 fdff ffff 0000 04",
        Said((
            Measurement(1000, -1.0, measured_ms=1_772_383_040_000),
            Measurement(None, None, flags=BLIND_ZONE, measured_ms=1_772_386_640_000),
        )),
    ),
    "history of a tilted one, temperature switched off": (
        "20ce406ba469e803feff000020",
        Said((Measurement(1000, None, flags=TILTED, measured_ms=1_772_383_040_000),)),
    ),
    "history of the newest firmware": (
        "20ce406ba469e803 20ce5079a469ffff",
        Said((Measurement(1000, measured_ms=1_772_383_040_000), Measurement(None, measured_ms=1_772_386_640_000))),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("payload", "said"), EXAMPLES.values(), ids=EXAMPLES)
def test_payload_says(payload: str, said: Said) -> None:
    assert decode(85, bytes.fromhex(payload)) == said


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("0482e8", "the field 0482 is cut short"),
        ("04", "byte 0: a field 04 is not known"),
        ("04824408 7f01", "byte 4: a field 7f01 is not known"),
        # Distances at even times, of which nobody says the first.
        ("07ba0a00e803e903", "byte 0: a field 07ba is not known"),
    ],
)
def test_payload_that_is_not_understood_says_why(payload: str, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        decode(85, bytes.fromhex(payload))
