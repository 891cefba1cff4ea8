"""Rows as sensors make them, for hypothesis."""

from hypothesis import strategies as st

Row = tuple[int | None, ...]

U32 = st.integers(0, 2**32 - 1)
MAYBE = st.none
ROWS = st.tuples(
    U32,
    U32,
    MAYBE() | st.integers(0, 65534),
    MAYBE() | st.integers(0, 65534),
    MAYBE() | st.integers(0, 254),
    MAYBE() | st.integers(-1000, 5000),
    MAYBE() | st.integers(0, 65534),
    MAYBE() | st.integers(0, 180),
    st.integers(0, 3),
)


def row(seq: int = 0, **fields: int | None) -> Row:
    """Make a row with defaults."""
    values = {
        "measured_at": 1772366400 + seq,
        "distance_mm": 640,
        "spread_mm": 4,
        "valid_count": 7,
        "temperature_c": 215,
        "battery_mv": 3650,
        "tilt_deg": 2,
        "flags": 0,
        **fields,
    }
    return (seq, *values.values())
