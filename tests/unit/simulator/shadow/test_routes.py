from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.evaluate.columns import FileError
from simulator.shadow.places import Place, depots_of, read_places
from simulator.shadow.routes import Roads, read_matrix

UTC = ZoneInfo("UTC")
DEPOT = Place(0.0, 52.0, "NORTH")
# A degree of latitude is 111.19 km: places on a line, a kilometre apart, jumbled.
LINE = {f"B{place}": Place(0.0, 52.0 + place / 111.195, "NORTH") for place in (3, 1, 4, 2, 5)}


def test_a_tour_goes_through_all_stops_and_back() -> None:
    roads = Roads(LINE, {"NORTH": DEPOT}, factor=1.4)

    assert roads.tour_km("NORTH", list(LINE)) == pytest.approx(2 * 5 * 1.4, rel=0.001)
    assert roads.tour_km("NORTH", ["B2"]) == pytest.approx(2 * 2 * 1.4, rel=0.001)
    assert roads.tour_km("NORTH", []) == 0


def test_second_visits_of_a_day_make_a_tour_of_their_own() -> None:
    roads = Roads(LINE, {"NORTH": DEPOT}, factor=1.0)
    noon, evening, tomorrow = 12.0, 20.0, 36.0

    once = roads.service_km(["B1", "B2", "lost"], [np.array([noon]), np.array([noon]), np.array([noon])], UTC)
    twice = roads.service_km(["B1", "B2"], [np.array([noon, evening]), np.array([noon])], UTC)
    daily = roads.service_km(["B2"], [np.array([noon, tomorrow])], UTC)

    assert once == pytest.approx(4, rel=0.001)
    assert twice == pytest.approx(4 + 2, rel=0.001)
    assert daily == pytest.approx(8, rel=0.001)


def test_a_given_matrix_counts_instead_of_straight_lines(tmp_path: Path) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text("from,to,metres\nNORTH,B1,1500\nB1,B2,700\nB2,NORTH,800\n")

    roads = Roads(LINE, {"NORTH": DEPOT}, factor=1.4, metres=read_matrix(path))

    assert roads.tour_km("NORTH", ["B1", "B2"]) == pytest.approx(3.0)
    with pytest.raises(FileError, match="no distance from 'NORTH' to 'B3'"):
        roads.tour_km("NORTH", ["B3"])


def test_depots_lie_where_a_file_says_or_amid_their_bins(tmp_path: Path) -> None:
    bins, depots = tmp_path / "bins.csv", tmp_path / "depots.csv"
    bins.write_text("ref,longitude,latitude,depot,threshold\nA,-1,52,N,0.7\nB,-2,54,N,\nC,,,S,\n")
    depots.write_text("ref,longitude,latitude\nN,-1.5,52.5\n")

    places = read_places(bins)

    assert places["A"] == Place(-1, 52, "N", 0.7)
    assert [places[ref].located for ref in "ABC"] == [True, True, False]
    assert depots_of(None, places) == {"N": Place(-1.5, 53, "N")}
    with pytest.raises(FileError, match="does not say where the depot 'S' is"):
        depots_of(depots, places)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("A,west,52", "line 2: longitude is not a number: 'west'"),
        ("A,-1,520", "line 2: latitude is 520; it has to be -90 to 90"),
        (",-1,52", "line 2: a bin without ref"),
    ],
)
def test_wrong_positions_are_refused(tmp_path: Path, row: str, sentence: str) -> None:
    path = tmp_path / "bins.csv"
    path.write_text(f"ref,longitude,latitude\n{row}\n")

    with pytest.raises(FileError, match=sentence):
        read_places(path)
