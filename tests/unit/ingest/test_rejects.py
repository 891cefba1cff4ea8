import pytest

from ingest.rejects import show_payload


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"distance_mm": -1}', '{"distance_mm": -1}'),
        ("größer".encode(), "größer"),
        (b"two\nlines", "two lines"),
        (b"", ""),
        (b"\x84\x01", "hex:8401"),  # CBOR
        (b"\x1b[2Jgone", "hex:1b5b324a676f6e65"),  # what a terminal would obey
    ],
)
def test_payload_is_shown_as_text_or_hex(payload: bytes, shown: str) -> None:
    assert show_payload(payload) == shown
