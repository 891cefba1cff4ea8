import math

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.smartbin import cbor

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text() | st.integers(0, 1000), inner, max_size=5),
    max_leaves=30,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES.filter(lambda value: depth(value) < cbor.MAX_DEPTH))
def test_encode_is_read_by_another_decoder_and_by_ours(value: object) -> None:
    data = cbor.encode(value)

    assert cbor2.loads(data) == value
    assert cbor.decode(data) == value
    assert data == cbor2.dumps(value)


@given(st.binary(max_size=60))
def test_decode_takes_any_bytes_without_another_error(data: bytes) -> None:
    try:
        cbor.decode(data)
    except ValueError:
        return


@given(VALUES.filter(lambda value: depth(value) < cbor.MAX_DEPTH), st.data())
def test_decode_refuses_what_is_cut_short(value: object, data: st.DataObject) -> None:
    encoded = cbor.encode(value)
    length = data.draw(st.integers(0, len(encoded) - 1))

    with pytest.raises(ValueError, match="CBOR"):
        cbor.decode(encoded[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00",  # bytes after the end
        b"\x9f\xff",  # indefinite length
        b"\x81" * 20 + b"\x00",  # nested too deeply
        b"\xbb" + b"\xff" * 8,  # more pairs than memory
        b"\x62\xff\xfe",  # text that is not UTF-8
        b"\xf8\x18",  # reserved simple value
        b"\xa1\x80\x00",  # an array as key
        b"\x1c",  # reserved length
    ],
)
def test_decode_refuses_rubbish(data: bytes) -> None:
    with pytest.raises(ValueError, match="CBOR"):
        cbor.decode(data)


@pytest.mark.parametrize("value", [0.0, -0.5, 1.5, 65504.0, 5.960464477539063e-08, math.inf, -math.inf])
def test_decode_reads_half_floats_that_a_server_may_add(value: float) -> None:
    assert cbor.decode(cbor2.dumps(value, canonical=True)) == value


@pytest.mark.parametrize("value", [object(), 1.5, 2**64, -(2**64) - 1])
def test_encode_refuses_what_it_cannot_say(value: object) -> None:
    with pytest.raises(ValueError, match="CBOR"):
        cbor.encode(value)
