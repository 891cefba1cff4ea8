"""Whatever is wrong with a message, it is refused with the right word and acknowledged by the right identity."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode import decode
from tests.contract.bad import Bad
from tests.contract.bad_json import handmade
from tests.contract.golden import NOW_MS

BAD = handmade()


def test_there_are_enough() -> None:
    assert len({(bad.kind, bad.payload) for bad in BAD}) == len(BAD) >= 2000


def test_each_is_refused_with_its_reason() -> None:
    assert [(bad.name, wrong) for bad in BAD if (wrong := _wrong(bad))] == []


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(BAD).filter(lambda bad: len(bad.payload) < 1000),
    st.sampled_from(BAD).filter(lambda bad: len(bad.payload) < 1000),
    st.data(),
)
def test_two_that_are_grown_together_are_answered_too(one: Bad, other: Bad, data: st.DataObject) -> None:
    head, tail = (data.draw(st.integers(0, len(bad.payload))) for bad in (one, other))
    payload = one.payload[:head] + other.payload[tail:]

    decoded = decode(f"bins/v1/d-1/up/{one.kind}", payload, retain=False, now_ms=NOW_MS)

    assert decoded.readings or decoded.refusals or decoded.status is not None
    assert decoded.device == "d-1"
    assert [refusal.detail for refusal in decoded.refusals if refusal.detail.startswith("cannot be read")] == []


def _wrong(bad: Bad) -> str | None:
    """Say what the ingester makes of a message that it should not."""
    decoded = decode(f"bins/v1/d-1/up/{bad.kind}", bad.payload, retain=False, now_ms=NOW_MS)
    refused = decoded.refusals
    if len(refused) != 1 or refused[0].reason not in bad.reasons or refused[0].detail.startswith("cannot be read"):
        return f"{[(refusal.reason, refusal.detail) for refusal in refused]} instead of {bad.reasons}"
    if len(decoded.readings) != bad.good or decoded.status is not None:
        return f"{len(decoded.readings)} readings instead of {bad.good}, status {decoded.status!r}"
    if bad.identities is not None and Counter(refused[0].identities) != Counter(bad.identities):
        return f"{refused[0].identities} instead of {bad.identities}"
    return None
