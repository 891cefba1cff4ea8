"""What Netvox' payloads say. To add one: a line in the table."""

import pytest

from ingest.lorawan.netvox import decode
from ingest.lorawan.uplink import Measurement, PayloadError, Said

EXAMPLES = {
    "R718X": (6, "01340124 01 012c 0107 32 0a", Said((Measurement(300, 26.3, 3600, 10),))),
    "R718X in frost, battery low": (6, "013401a0 00 04b0 fff6 00 00", Said((Measurement(1200, -1.0, 3200, 0),))),
    "R718X without a target": (6, "01340124 00 ffff 0107 00 ff", Said((Measurement(None, 26.3, 3600, None),))),
    "R718PE": (6, "01b10124 01 012c 32 000000", Said((Measurement(300, battery_mv=3600),))),
    "version": (6, "0134006401202008110000", Said()),
    "answer to a setting": (7, "8134000000000000000000", Said()),
}


@pytest.mark.parametrize(("port", "payload", "said"), EXAMPLES.values(), ids=EXAMPLES)
def test_payload_says(port: int, payload: str, said: Said) -> None:
    assert decode(port, bytes.fromhex(payload)) == said


@pytest.mark.parametrize(
    ("port", "payload", "words"),
    [
        (2, "01340124", "nothing is known of port 2"),
        (6, "0134", "it begins with 0134"),
        (6, "01570124 0102030405060708", "it begins with 015701"),  # another Netvox
        (6, "01340324 01012c0107320a", "a report of kind 3 is not known"),
        (6, "01340124 01012c0107", "cut short: 9 bytes of 11"),
    ],
)
def test_payload_that_is_not_understood_says_why(port: int, payload: str, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        decode(port, bytes.fromhex(payload))
