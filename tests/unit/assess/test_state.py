from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.assess.bins import DAY, NOW, reading, state

levels = st.lists(st.none() | st.floats(0, 1), max_size=30)
spans = st.timedeltas(timedelta(0), timedelta(days=30))


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, object]]:
    """Readings at uneven times, some of them at the same."""
    hours = draw(st.lists(st.floats(0, 200), max_size=25))
    return [
        reading(
            ago,
            draw(st.none() | st.floats(0, 1)),
            temperature_c=draw(st.sampled_from([8.0, None, 70.0])),
            tilt_deg=draw(st.sampled_from([2, None, 90])),
            device=f"device-{place % 2}",
            epoch=0,
            seq=place,
        )
        for place, ago in enumerate(hours)
    ]


@settings(deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_state_does_not_depend_on_order_of_arrival(rows: list[dict[str, object]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert state(shuffled) == state(rows)


@settings(deadline=None)
@given(histories(), st.lists(spans, max_size=2), spans, spans)
def test_time_alone_never_makes_a_due_bin_undue(
    rows: list[dict[str, object]], emptied_ago: list[timedelta], later: timedelta, later_still: timedelta
) -> None:
    reported = [NOW - ago for ago in emptied_ago]

    first = state(rows, reported=reported, now=NOW + later)
    second = state(rows, reported=reported, now=NOW + later + later_still)

    assert first.due.due_class is None or second.due.due_class is not None
    assert not (first.due.due_class == "must_go" and second.due.due_class == "may_go")
    assert second.fill_level == first.fill_level


@settings(deadline=None)
@given(histories(), spans)
def test_state_can_be_stored(rows: list[dict[str, object]], later: timedelta) -> None:
    result = state(rows, now=NOW + later)

    assert (result.due.due_class is None) == (result.due.reason == "NOT_READY") == (result.due.priority == 0)
    assert 0 <= result.due.priority <= 100
    assert result.fill_level is None or 0 <= result.fill_level <= 1
    assert result.due.explanation.endswith(".")


@settings(deadline=None)
@given(histories())
def test_silent_sensor_is_never_fine(rows: list[dict[str, object]]) -> None:
    assert state(rows, now=NOW + 10 * DAY).due.due_class is not None
