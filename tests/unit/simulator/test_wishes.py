import pytest

from simulator.stack.errors import StackError
from simulator.stack.wishes import Wishes, read_wishes


def test_read_wishes_nothing_set_gives_the_whole_demo() -> None:
    assert read_wishes({}) == Wishes(bins=500, firmware=24, port=None, seconds=None)


def test_read_wishes_empty_values_count_as_not_set() -> None:
    empty = dict.fromkeys(("DEMO_BINS", "DEMO_FIRMWARE", "DEMO_PORT", "DEMO_SECONDS"), "")

    assert read_wishes(empty) == read_wishes({})


def test_read_wishes_takes_what_is_set() -> None:
    environ = {"DEMO_BINS": "40", "DEMO_FIRMWARE": "0", "DEMO_PORT": "8080", "DEMO_SECONDS": "5"}

    assert read_wishes(environ) == Wishes(bins=40, firmware=0, port=8080, seconds=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMO_BINS", "many"),
        ("DEMO_BINS", "9"),  # too few for a town
        ("DEMO_BINS", "5001"),
        ("DEMO_FIRMWARE", "-1"),
        ("DEMO_PORT", "65536"),
        ("DEMO_PORT", "80.5"),
        ("DEMO_SECONDS", "0"),
    ],
)
def test_read_wishes_unusable_value_is_named_in_one_sentence(name: str, value: str) -> None:
    with pytest.raises(
        StackError, match=f"^{name} has to be a whole number from [0-9]+ to [0-9]+, not '?{value}'?\\.$"
    ):
        read_wishes({name: value})


def test_read_wishes_more_firmware_than_the_town_can_carry_is_refused() -> None:
    with pytest.raises(StackError, match="at most half of the 40 bins"):
        read_wishes({"DEMO_BINS": "40", "DEMO_FIRMWARE": "21"})
