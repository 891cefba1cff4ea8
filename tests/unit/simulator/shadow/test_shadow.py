import csv
import json
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from simulator.__main__ import app
from simulator.evaluate.columns import FileError
from simulator.shadow.rounds import lists_between, read_rounds
from tests.unit.simulator.evaluate.ugly import Files, write_set

LONDON = ZoneInfo("Europe/London")


def shadow(files: Files, out: Path, *more: object) -> Result:
    arguments = ["shadow", "--readings", files.readings, "--empty-mm", 1300, "--full-mm", 300, "--out", out, *more]
    return CliRunner().invoke(app, [str(one) for one in arguments])


def write_rounds(folder: Path, files: Files) -> Path:
    path = folder / "rounds.csv"
    path.write_text(files.emptyings.read_text().replace("emptied_at", "visited_at"))
    return path


def write_bins(folder: Path, files: Files) -> Path:
    path = folder / "bins.csv"
    rows = [f"{name},{-1.4 + number / 100},52.9" for number, name in enumerate(sorted(files.true))]
    path.write_text("\n".join(["ref,longitude,latitude", *rows[:-1]]))
    return path


def test_daily_rounds_are_compared_with_the_list(tmp_path: Path) -> None:
    files, out = write_set(tmp_path, bins=6, days=20), tmp_path / "out"

    result = shadow(files, out, "--bins", write_bins(tmp_path, files))

    assert result.exit_code == 0, result.stderr
    figures = json.loads((out / "shadow.json").read_text())["figures"]
    # Half of the time is history.
    assert figures["present_visits"] == 6 * 10
    assert 0.2 < figures["visits_saved"] < 0.9
    assert figures["list_visits"] < figures["present_visits"]
    assert figures["list_under_half"] < figures["present_under_half"]
    assert 0 < figures["list_km"] < figures["present_km"]
    assert figures["bins_without_position"] == 1
    page = (out / "report.md").read_text()
    assert "# Present rounds and due list, side by side" in page
    assert "fewer visits" in page
    assert "1 bins have no position" in page
    assert "{" not in page
    table = list(csv.DictReader((out / "bins.csv").read_text().splitlines()))
    assert sum(int(row["list_visits"]) for row in table) == figures["list_visits"]


def test_a_council_s_own_rounds_are_replayed_as_they_were(tmp_path: Path) -> None:
    files, out = write_set(tmp_path, bins=4, days=24), tmp_path / "out"

    result = shadow(files, out, "--rounds", write_rounds(tmp_path, files))

    assert result.exit_code == 0, result.stderr
    figures = json.loads((out / "shadow.json").read_text())["figures"]
    # What is replayed is what was measured: these emptyings did happen.
    assert figures["replay_apart"] < 0.05
    assert figures["told_by_readings"] > 0.8
    assert "present_km" not in figures
    late = sum(hour > 12 * 24 for emptied in files.true.values() for hour, _ in emptied)
    assert figures["present_visits"] == pytest.approx(late, abs=4)
    assert "There are no kilometres" in (out / "report.md").read_text()


def test_a_bin_counts_only_while_it_is_measured(tmp_path: Path) -> None:
    files, out = write_set(tmp_path, bins=2, days=20), tmp_path / "out"
    rows = files.readings.read_text().splitlines()
    late = [row for row in rows if not (row.startswith("BIN-001") and row < "BIN-001,2023-03-16T12")]
    files.readings.write_text("\n".join(late))

    result = shadow(files, out)

    assert result.exit_code == 0, result.stderr
    table = list(csv.DictReader((out / "bins.csv").read_text().splitlines()))
    assert [int(row["present_visits"]) for row in table] == [10, 4]
    assert int(table[1]["list_visits"]) <= 4


def test_the_report_names_bins_that_need_more_visits(tmp_path: Path) -> None:
    files, out = write_set(tmp_path, bins=4, days=24), tmp_path / "out"
    seldom = tmp_path / "rounds.csv"
    seldom.write_text("\n".join(["bin,visited_at", *(f"BIN-003,2023-03-{day}" for day in (14, 18, 22))]))

    result = shadow(files, out, "--rounds", seldom)

    assert result.exit_code == 0, result.stderr
    needs = (out / "report.md").read_text().split("## Bins that need more visits")[1].split("##")[0]
    assert "4 of 4 bins come up more often" in needs
    assert "| BIN-003 | 3 |" in needs


def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    files, out = write_set(tmp_path, bins=1, days=8), tmp_path / "out"
    strange = tmp_path / "strange.csv"
    strange.write_text("bin,visited_at\nNOBODY,2023-03-02\n")

    result = shadow(files, out, "--rounds", strange)

    assert result.exit_code == 1
    assert f"{strange} names no bin that has readings." in result.stderr
    assert not out.exists()


def test_distances_without_bins_are_refused(tmp_path: Path) -> None:
    result = shadow(write_set(tmp_path, bins=1, days=3), tmp_path / "out", "--matrix", tmp_path / "matrix.csv")

    assert result.exit_code == 2
    assert "--depots and --matrix need --bins" in result.stderr


def test_lists_are_made_at_local_time_whatever_the_clocks_do() -> None:
    begin = float(np.datetime64("2023-03-25T00:00", "h").astype(np.int64))

    moments = lists_between(begin, begin + 72, (time(6), time(13)), LONDON)

    # The clocks go forward on 26 March.
    assert (moments - begin).tolist() == [6, 13, 29, 36, 53, 60]


def test_a_date_is_that_day_s_round(tmp_path: Path) -> None:
    path = tmp_path / "rounds.csv"
    path.write_text("bin,visited_at\nA,2023-06-01\nA,2023-06-01T13:00:00Z\nA,2023-06-01\nB,soon\nC,2023-06-01\n")

    rounds = read_rounds(path, ("A", "B"), time(6), LONDON)

    first = float(np.datetime64("2023-06-01T07:00", "h").astype(np.int64))
    assert [visits.tolist() for visits in rounds.visits] == [[first, first + 6], []]
    assert rounds.strange == 1
    assert rounds.refused.sentences() == ["line 5: visited_at is no time from 2001 to 2099: 'soon'"]


def test_rounds_without_a_usable_row_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rounds.csv"
    path.write_text("bin,visited_at\nA,soon\n")

    with pytest.raises(FileError, match="none of its 1 rows can be used"):
        read_rounds(path, ("A",), time(6), LONDON)
