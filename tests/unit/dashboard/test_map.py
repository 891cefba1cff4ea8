from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from dashboard import map as bins_map
from dashboard.basemap import Basemap, grid
from dashboard.colours import DARK, LIGHT, Palette
from dashboard.view import NOWHERE, Bounds, bounds_of, view_of
from tests.unit.dashboard.places import full, place

SIZE = bins_map.size_for(500)


def values(packed: dict[str, str]) -> list[float]:
    numbers: list[float] = np.frombuffer(b64decode(packed["bdata"]), dtype=packed["dtype"]).tolist()
    return numbers


def refs(trace: dict[str, Any]) -> list[str]:
    found: list[str] = trace["customdata"]
    return found


def test_traces_draw_every_bin_once_in_the_ground_and_due_ones_again_on_top() -> None:
    unknown = place(3, fill_level=None, sensor="none")
    old = place(4, due_class="may_go", reason="AGE", explanation="Emptied 9 days ago.")

    traces = bins_map.traces([place(1), full(2), unknown, old], None, SIZE, LIGHT)

    assert [refs(trace) for trace in traces] == [["B-3"], ["B-1", "B-2", "B-4"], [], ["B-4", "B-2"], ["B-4"], ["B-2"]]
    assert values(traces[bins_map.KNOWN]["marker"]["color"]) == [30, 93, 30]


@pytest.mark.parametrize(
    ("reason", "fill_level", "mark"),
    [
        ("FULLNESS", 0.93, "93"),
        ("STALE", None, "?"),
        ("STALE", 0.2, "?"),  # an old level is no level
        ("ALERT", 0.5, "!"),
        ("AGE", None, ""),
    ],
)
def test_due_bin_carries_a_sign_beside_its_colour(reason: str, fill_level: float | None, mark: str) -> None:
    traces = bins_map.due_traces([full(1, reason=reason, fill_level=fill_level)], SIZE, LIGHT)

    assert traces[-1]["text"] == [mark]
    assert traces[-1]["marker"]["size"] > SIZE.may_go > SIZE.plain


def test_names_cannot_smuggle_markup_into_the_map() -> None:
    traces = bins_map.traces([place(1, name="<a href='x'>click</a>")], None, SIZE, LIGHT)

    assert "<" not in traces[bins_map.KNOWN]["text"][0]


def test_layout_key_stays_while_only_levels_change() -> None:
    before, after = [place(1, fill_level=0.3)], [place(1, fill_level=0.9, due_class="must_go", reason="FULLNESS")]

    assert bins_map.layout_key(before) == bins_map.layout_key(after)
    assert bins_map.state_key(before) != bins_map.state_key(after)


@pytest.mark.parametrize("change", [{"longitude": -4.8}, {"name": "Quay Road"}, {"fill_level": None}])
def test_layout_key_changes_with_what_is_drawn_where(change: dict[str, object]) -> None:
    assert bins_map.layout_key([place(1)]) != bins_map.layout_key([place(1, **change)])


def test_update_of_ten_thousand_bins_is_small() -> None:
    places = [place(number) for number in range(10_000)]

    packed = bins_map.levels(places)

    assert len(packed["bdata"]) < 14_000


def test_view_holds_all_bins() -> None:
    bounds = bounds_of([place(1), place(2, longitude=-4.8, latitude=54.1)])

    longitude, latitude, zoom = view_of(bounds, (1000, 800))
    width_deg = 360 / (512 * 2**zoom) * 1000

    assert bounds.west > longitude - width_deg / 2
    assert bounds.east < longitude + width_deg / 2
    assert bounds.south < latitude < bounds.north


def test_view_of_one_bin_and_of_none_is_sensible() -> None:
    _, _, near = view_of(bounds_of([place(1)]), (1000, 800))
    _, _, far = view_of(bounds_of([]), (1000, 800))

    assert 14 < near <= 17
    assert bounds_of([]) == NOWHERE
    assert far < 6


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_style_without_files_is_a_plain_ground_with_a_grid(palette: Palette) -> None:
    style = Basemap({}).style(palette, Bounds(-3.4, 55.8, -3.0, 56.0))

    assert [layer["id"] for layer in style["layers"]] == ["ground", "grid"]
    assert "glyphs" not in style
    assert "sprite" not in style


def test_style_draws_only_layers_that_exist() -> None:
    style = Basemap({"roads": "/basemap/roads.geojson"}).style(LIGHT, NOWHERE)

    assert set(style["sources"]) == {"roads"}
    assert {layer.get("source", "roads") for layer in style["layers"]} == {"roads"}


def test_grid_has_round_steps_and_few_lines() -> None:
    collection = grid(Bounds(-3.41, 55.87, -3.06, 55.99))

    lines = collection["features"][0]["geometry"]["coordinates"]
    assert len(lines) < 160
    assert all(round(line[0][0] / 0.02, 6).is_integer() or line[0][0] != line[1][0] for line in lines)
