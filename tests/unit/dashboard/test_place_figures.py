import pytest

from dashboard.colours import DARK, LIGHT, Palette
from dashboard.place_figures import busiest, heat_of, per_day, place_bars, week_heat
from dashboard.rows import UsedPlace, UsedWeekday


def place(name: str, litres: float, known_h: float = 240.0, bins: int = 1) -> UsedPlace:
    return UsedPlace(name, name, bins, litres, known_h, 0.0, 0.0, round(litres * 1000))


def saturday(**litres_at: float) -> UsedWeekday:
    """Litres by hour, such as `h14=9`; all hours but the first are known, twice."""
    litres = [litres_at.get(f"h{hour}", 0.0) for hour in range(24)]
    return UsedWeekday("", 6, litres, [0.0] + [2.0] * 23)


def test_litres_a_day_count_what_is_not_known_as_what_is() -> None:
    assert per_day(place("Quay Road", 100.0, known_h=48.0, bins=3)) == pytest.approx(150.0)
    assert per_day(place("Mill Lane", 0.0, known_h=0.0)) == 0.0


def test_heat_is_litres_an_hour_of_all_bins_and_blank_where_nothing_is_known() -> None:
    heat = heat_of([saturday(h14=9.0)], bins=4)

    assert heat[5][14] == pytest.approx(18.0)
    assert heat[5][0] is None
    assert heat[5][1] == 0.0
    assert heat[0] == [None] * 24
    assert busiest(heat) == ("Saturday", 14, pytest.approx(18.0))


def test_nothing_known_has_no_busiest_hour() -> None:
    assert busiest(heat_of([], bins=0)) is None


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_heat_runs_through_the_colours_of_levels(palette: Palette) -> None:
    (cells,) = week_heat(heat_of([saturday(h14=9.0)], 1), palette)["data"]

    assert [colour for _, colour in cells["colorscale"]] == list(palette.levels)
    assert cells["text"][5][14] == "Saturday 14:00 to 15:00"


def test_bars_say_their_litres_and_long_names_are_cut_off() -> None:
    figure = place_bars([place("Quay Road", 2400.0), place("Saint Bartholomew's Crescent", 1200.0)], LIGHT)

    assert figure["data"][0]["text"] == ["240 l", "120 l"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["Quay Road", "Saint Bartholomew's C…"]
