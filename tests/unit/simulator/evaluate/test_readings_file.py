from pathlib import Path

import numpy as np
import pytest

from simulator.evaluate.columns import FileError
from simulator.evaluate.readings_file import read_emptyings, read_readings


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "readings.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_readings_are_read_in_any_order_with_and_without_time_zone(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "distance_mm,bin,measured_at,extra\r\n"
        "500,B,2023-05-01T14:00:00+02:00,x\r\n"
        "900,A,2023-05-01 13:00:00,x\r\n"  # no zone: UTC
        "800,A,1682938800,x\r\n"  # 11:00
        "700,A,1682942400000,x\r\n"  # 12:00, in milliseconds
        "600,A,2023-05-01T10:00:00.5Z,x\r\n",
        "utf-8-sig",
    )

    readings = read_readings(path)

    assert readings.bins == ("A", "B")
    assert readings.starts.tolist() == [0, 4, 5]
    assert readings.value.tolist() == [600, 800, 700, 900, 500]
    hours = ["10:00:00.500", "11:00:00", "12:00:00", "13:00:00", "12:00:00"]
    assert readings.measured_at.tolist() == [np.datetime64(f"2023-05-01T{hour}", "us").item() for hour in hours]
    assert readings.zoneless == 1
    assert not readings.is_level


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_spreadsheets_may_write_it_as_they_do(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "readings.csv"
    path.write_bytes("bin,measured_at,distance_mm\r\nCafé,2026-01-01T00:00:00Z,500\r\n".encode(encoding))

    readings = read_readings(path)

    assert readings.value.tolist() == [500]
    assert len(readings.bins) == 1


def test_rows_that_are_wrong_are_left_out_and_told_by_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "bin,measured_at,distance_mm,temperature_c\n"
        "A,2023-05-01T10:00:00Z,800,21\n"
        "A,yesterday,800,21\n"
        ",2023-05-01T10:00:00Z,800,21\n"
        "A,2023-05-01T11:00:00Z,far,21\n"
        "A,2023-05-01T12:00:00Z,inf,21\n"
        "\n"
        "A,1970-01-01T00:00:12Z,800,21\n"  # a clock that was never set
        "A,2023-05-01T13:00:00Z\n"  # no echo, no temperature
        "A,2023-05-01T14:00:00Z,700,warm\n",  # an unreadable temperature is an unknown one
    )

    readings = read_readings(path)

    assert readings.value.tolist() == pytest.approx([800, np.nan, 700], nan_ok=True)
    assert readings.temperature_c.tolist() == pytest.approx([21, np.nan, np.nan], nan_ok=True)
    assert readings.refused.count == 5
    assert readings.refused.sentences() == [
        "line 3: measured_at is no time from 2001 to 2099: 'yesterday' (and 1 more like it)",
        "line 4: no bin",
        "line 5: distance_mm is not a number: 'far' (and 1 more like it)",
    ]


def test_repeated_readings_count_once_whatever_their_order(tmp_path: Path) -> None:
    rows = ["A,2023-05-01T10:00:00Z,800", "A,2023-05-01 10:00:00,800", "A,2023-05-01T10:00:00Z,", "B,2023-05-01,650"]

    first = read_readings(written(tmp_path, "\n".join(["bin,measured_at,distance_mm", *rows])))
    again = read_readings(written(tmp_path, "\n".join(["bin,measured_at,distance_mm", *reversed(rows)])))

    assert first.value.tolist() == again.value.tolist() == [800, 650]
    assert first.duplicates == again.duplicates == 2


def test_levels_are_taken_from_0_to_1(tmp_path: Path) -> None:
    path = written(tmp_path, "bin,measured_at,fill_level\nA,2023-05-01T10:00:00Z,0.25\nA,2023-05-01T11:00:00Z,-1\n")

    readings = read_readings(path)

    assert readings.is_level
    assert readings.value.tolist() == pytest.approx([0.25, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("bin,measured_at,distance_mm\n", "has no rows"),
        ("bin;measured_at;distance_mm\nA;2023-05-01;800\n", "semicolons between its columns; save it with commas"),
        ("bin,when,distance_mm\nA,2023-05-01,800\n", "no column 'measured_at'; its first line says: bin, when, dist"),
        ("bin,measured_at,level\nA,2023-05-01,800\n", "neither a column 'distance_mm' nor one 'fill_level'"),
        ("bin,measured_at,fill_level\nA,2023-05-01,0\nA,2023-05-02,80\n", "fill_level up to 80.*not percent"),
        ("bin,measured_at,distance_mm\nA,1 May,800\nA,2 May,800\n", "none of its 2 rows can be used; line 2: measured"),
        ('bin,measured_at,distance_mm\n"A,2023-05-01,800\n' + 200_000 * "x", "is not a CSV file: line 3"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(FileError, match=sentence):
        read_readings(written(tmp_path, text))


def test_missing_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nowhere\.csv cannot be read: no such file or directory\."):
        read_readings(tmp_path / "nowhere.csv")


def test_emptyings_are_read_by_bin(tmp_path: Path) -> None:
    path = tmp_path / "emptyings.csv"
    path.write_text("bin,emptied_at\nA,2023-05-02\nA,2023-05-01T07:00:00Z\nA,2023-05-02 00:00\nB,soon\n")

    known = read_emptyings(path)

    assert {name: at.astype(str).tolist() for name, at in known.emptied_at.items()} == {
        "A": ["2023-05-01T07:00:00.000000", "2023-05-02T00:00:00.000000"]
    }
    assert known.refused.sentences() == ["line 5: emptied_at is no time from 2001 to 2099: 'soon'"]
