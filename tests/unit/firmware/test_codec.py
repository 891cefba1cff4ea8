import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.smartbin import codec

U32 = st.integers(0, 2**32 - 1)


def test_readings_are_short() -> None:
    rows = [(1000 + seq, 1772366400 + 900 * seq, 640 + seq, 4, 7, 215, 3650, 2, 0) for seq in range(24)]

    sizes = [len(codec.encode_readings(3, 3600, rows[:count])) for count in (1, 6, 24)]

    assert sizes == [28, 133, 512]


@given(U32, st.lists(st.tuples(U32, U32, U32).map(lambda t: (t[0], *sorted(t[1:]))), max_size=20))
def test_ack_is_read_whatever_a_later_server_adds(server_time: int, ranges: list[tuple[int, int, int]]) -> None:
    payload = cbor2.dumps([1, server_time, [[*item, "new"] for item in ranges], {"new": 1.5}])

    assert codec.decode_ack(payload) == (server_time, ranges)


@pytest.mark.parametrize(
    "message",
    [
        {"version": 1},
        [1, 5],  # too short
        [2, 5, [[1, 0, 0]]],  # a version that we do not know
        [True, 5, []],
        [1, -5, []],
        [1, 5.0, []],
        [1, 5, [[1, 0]]],
        [1, 5, [[1, 4, 3]]],  # backwards
        [1, 5, [[1, False, True]]],
        [1, 5, [5]],
        [1, 5, None],
    ],
)
def test_ack_that_is_none_is_refused(message: object) -> None:
    with pytest.raises(ValueError, match="acknowledgement"):
        codec.decode_ack(cbor2.dumps(message))


def test_status_leaves_out_what_is_unknown() -> None:
    assert cbor2.loads(codec.encode_status({"firmware": "0.1.0", "rssi_dbm": None})) == {"firmware": "0.1.0"}


@given(
    st.integers(1, 2**31 - 1),
    st.dictionaries(st.text(max_size=20), st.integers(-(2**63), 2**63 - 1), max_size=10),
)
def test_configuration_is_read_whatever_a_later_server_adds(version: int, settings: dict[str, int]) -> None:
    payload = cbor2.dumps([1, version, settings, {"new": 1.5}])

    assert codec.decode_config(payload) == (version, settings)


@pytest.mark.parametrize("value", [True, 500.0, "500", None, [500]])
def test_configuration_with_a_value_that_is_no_number_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(ValueError, match="version 7: 'jump_mm': not a whole number"):
        codec.decode_config(cbor2.dumps([1, 7, {"jump_mm": value}]))


@given(st.binary(max_size=40), st.integers(0, 40))
def test_configuration_of_any_bytes_is_read_or_refused(noise: bytes, place: int) -> None:
    good = cbor2.dumps([1, 7, {"measure_interval_s": 600, "jump_mm": 500}])
    place %= len(good)

    for payload in (noise, good[:place] + noise, good[:place] + noise + good[place + len(noise) :]):
        try:
            version, settings = codec.decode_config(payload)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - either is fine, and nothing else is
        else:
            assert 1 <= version < 2**31
            assert all(type(name) is str and type(value) is int for name, value in settings.items())
