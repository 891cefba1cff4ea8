from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.registry.bin_file import BinRow, RefusedRow, read_bins
from ingest.registry.errors import RegistryError
from ingest.registry.settings import UNITED_KINGDOM, Area
from ingest.registry.tables import read_table, write_table

HEADER = "name,Location,type,latitude,longitude"


def read(tmp_path: Path, text: str | bytes) -> tuple[list[BinRow], list[RefusedRow]]:
    file = tmp_path / "bins.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_bins(file, UNITED_KINGDOM, "Europe/London")


def test_read_bins_as_councils_publish_them(tmp_path: Path) -> None:
    good, refused = read(tmp_path, f'\ufeff{HEADER}\r\n"High Street","At gate, north",Topsy,55.95,-3.19\r\n')

    assert refused == []
    assert good[0].line == 2
    assert good[0].values == {
        "ref": good[0].values["ref"],
        "name": "High Street",
        "location": "At gate, north",
        "model": "Topsy",
        "latitude": 55.95,
        "longitude": -3.19,
    }


@pytest.mark.parametrize("separator", [";", "\t"])
def test_read_bins_with_other_separators(tmp_path: Path, separator: str) -> None:
    good, _ = read(tmp_path, "NAME,Lat,Lon\nHigh Street,55.95,-3.19\n".replace(",", separator))

    assert [row.values["latitude"] for row in good] == [55.95]


def test_derived_ref_follows_content_not_place_in_file(tmp_path: Path) -> None:
    one, two = "High Street,Gate,Topsy,55.95,-3.19", "Low Street,,Topsy,55.96,-3.2"
    forth, _ = read(tmp_path, f"{HEADER}\n{one}\n{two}\n")
    back, _ = read(tmp_path, f"{HEADER}\n{two}\n{one.replace('Topsy', 'Wybone').replace('55.95', '55.9500000001')}\n")

    assert {row.values["ref"] for row in forth} == {row.values["ref"] for row in back}


def test_derived_refs_tell_equal_rows_apart(tmp_path: Path) -> None:
    row = "High Street,Gate,Topsy,55.95,-3.19\n"
    good, refused = read(tmp_path, f"{HEADER}\n{row}{row}")

    assert len({row.values["ref"] for row in good}) == 2
    assert refused == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,y,z,49.77,-7.56", "longitude -7.56000, latitude 49.77000 is outside the council's area"),
        ("x,y,z,-3.19,55.95", "outside the council's area; longitude and latitude look swapped"),
        ("x,y,z,,", "it has no longitude"),
        (",y,z,55.95,-3.19", "it has no name"),
        ("x,y,z,north,-3.19", "latitude 'north' is not a number"),
        ("x,y,z,nan,-3.19", "latitude nan is not between -90 and 90"),
        ("x,y,55.95,-3.19", "it has 4 cells where the header has 5"),
        (f"{'x' * 201},y,z,55.95,-3.19", "name is longer than 200 characters"),
        ("x,y\x00,z,55.95,-3.19", "it holds a NUL character"),
    ],
)
def test_bad_row_is_refused_and_harms_no_other(tmp_path: Path, row: str, reason: str) -> None:
    good, [refused] = read(tmp_path, f"{HEADER}\nA,,,55.9,-3.1\n\n{row}\nB,,,55.9,-3.1\n")

    assert [one.values["name"] for one in good] == ["A", "B"]
    assert refused.line == 4
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("ref", "a b", "ref 'a b' is not a letter or digit"),
        ("stream", "rubbish", "stream 'rubbish' is none of general, recycling"),
        ("threshold", "80", "threshold 80 is not between 0.05 and 1"),
        ("service_time_s", "1.5", "service_time_s 1.5 is not a whole number"),
        ("out_of_service_until", "soon", "'soon' is not a date or time"),
        # In UTC they are in the years 0 and 10000, which the database gives back to nobody.
        ("out_of_service_until", "0001-01-01T00:00+14:00", "is not a date or time"),
        ("out_of_service_until", "9999-12-31T23:59-12:00", "is not a date or time"),
        ("depot", "-", "depot '-' is not a letter or digit"),
    ],
)
def test_bad_cell_is_refused(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    _, [refused] = read(tmp_path, f"name,latitude,longitude,{column}\nA,55.9,-3.1,{cell}\n")

    assert reason in refused.reason


def test_same_ref_twice_is_refused(tmp_path: Path) -> None:
    good, [refused] = read(tmp_path, "ref,name,latitude,longitude\nB1,A,55.9,-3.1\nB1,B,55.9,-3.1\n")

    assert len(good) == 1
    assert (refused.line, refused.reason) == (3, "line 2 has the same ref B1")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "lacks the columns name, longitude, latitude"),
        (b"name,latitude\n", "lacks the column longitude in its first line"),
        (b"name,lat,latitude,lon\n", "has two columns for latitude"),
        (b"name,lat,lon\nA,1,2\n\xff\n", r"is not UTF-8 \(line 3\)"),
        (b'name,lat,lon\n"A,1,2\n', "is not a CSV file: line 2"),
    ],
)
def test_unusable_file_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(RegistryError, match=sentence):
        read(tmp_path, content)


def test_unreadable_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="No such file or directory"):
        read_bins(tmp_path / "missing.csv", UNITED_KINGDOM, "Europe/London")


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "3,50,2,40", "nan,1,2,3"])
def test_area_refuses_nonsense(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it as|less than"):
        Area.parse(text)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "'=1", "''=1"])
def test_text_that_looks_like_a_formula_is_written_as_text(text: str) -> None:
    _, row, *_ = write_table(["name"], [{"name": text}]).splitlines()

    assert row == f"'{text}"


def test_negative_numbers_stay_numbers() -> None:
    assert write_table(["longitude"], [{"longitude": -3.19}]) == "longitude\r\n-3.19\r\n"


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00")).map(lambda text: " ".join(text.split()))


@given(st.lists(st.tuples(words, words), min_size=1))
def test_tables_survive_the_round_trip(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    file = tmp_path_factory.mktemp("tables") / "table.csv"
    rows = [{"name": f"{left}", "location": right, "n": "1"} for left, right in pairs]

    file.write_text(write_table(["name", "location", "n"], rows), encoding="utf-8", newline="")

    table = read_table(file, {name: name for name in ("name", "location", "n")}, [])
    assert [dict(row.cells) for row in table.rows] == rows


def test_metres_of_the_national_grid_are_a_position(tmp_path: Path) -> None:
    [row], refused = read(tmp_path, "name,Easting,Northing\nA,325400,673900\n")

    assert refused == []
    assert row.values == {
        "ref": row.values["ref"],
        "name": "A",
        "longitude": pytest.approx(-3.19623, abs=1e-4),
        "latitude": pytest.approx(55.95232, abs=1e-4),
    }


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("-3.19623,55.95232,325400,673900", None),
        ("-3.19623,55.95232,,", None),
        (",,325400,673900", None),
        ("-3.19623,55.95232,325400,674900", "are two places, 999 m apart; leave one pair out"),
        ("-3.19623,55.95232,325400,", "it has no northings, only eastings"),
        ("-3.19623,,325400,673900", "it has no latitude, only longitude"),
        (",,,", "it has no longitude and latitude"),
        (",,2500000,673900", "eastings 2500000 is not between 0 and 700000"),
    ],
)
def test_both_positions_may_be_given(tmp_path: Path, cells: str, reason: str | None) -> None:
    good, refused = read(tmp_path, f"name,longitude,latitude,eastings,northings\nA,{cells}\n")

    assert len(good) == (reason is None)
    assert [one.reason.endswith(str(reason)) or one.reason for one in refused] == [True] * (reason is not None)


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("uprn", "000906423001", 906423001),
        ("usrn", "1234567", 1234567),
        ("uprn", "", None),
        ("open_data", "YES", True),
        ("open_data", "0", False),
        ("ward", "leith-walk", "leith-walk"),
    ],
)
def test_national_references_and_flags(tmp_path: Path, column: str, cell: str, value: object) -> None:
    [row], _ = read(tmp_path, f"name,latitude,longitude,{column}\nA,55.9,-3.1,{cell}\n")

    assert row.values["area" if column == "ward" else column] == value


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("uprn", "1234567890123", "uprn '1234567890123' is not a number of up to 12 digits"),
        ("uprn", "1.00023E+11", "of up to 12 digits: a spreadsheet has shortened it"),
        ("uprn", "0", "uprn '0' is not a number"),
        ("usrn", "123456789", "usrn '123456789' is not a number of up to 8 digits"),
        ("usrn", "-1", "usrn '-1' is not"),
        ("usrn", "١٢", "is not a number of up to 8 digits"),
        ("open_data", "perhaps", "open_data 'perhaps' is neither yes nor no"),
        ("area", "Leith Walk", "area 'Leith Walk' is not a letter or digit"),
    ],
)
def test_bad_national_references_and_flags_are_refused(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    _, [refused] = read(tmp_path, f"name,latitude,longitude,{column}\nA,55.9,-3.1,{cell}\n")

    assert reason in refused.reason
