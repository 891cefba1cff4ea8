import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simulator.__main__ import app
from tests.unit.simulator.evaluate.ugly import Files, write_set


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def figures_of(files: Files, *more: object) -> dict[str, float]:
    result = evaluate("--readings", files.readings, "--emptyings", files.emptyings, "--full-mm", 300, *more)
    assert result.exit_code == 0, result.stderr
    figures: dict[str, float] = json.loads(result.stdout)["figures"]
    return figures


def test_in_a_clean_set_every_emptying_is_found(tmp_path: Path) -> None:
    files = write_set(tmp_path)

    figures = figures_of(files, "--empty-mm", 1300)

    assert figures["bins"] == 8
    assert figures["readings"] == 8 * 60 * 24
    assert figures["duplicates"] == figures["refused_rows"] == 0
    assert figures["emptying_precision"] == figures["emptying_recall"] == figures["emptying_recall_all"] == 1
    assert figures["emptyings_found"] == figures["emptyings_matched"] == sum(map(len, files.true.values()))


@pytest.mark.parametrize("hours", [-2, 2])
def test_first_and_last_emptying_may_be_noted_early_or_late(tmp_path: Path, hours: int) -> None:
    files = write_set(tmp_path, bins=2, days=20)
    first, *lines = files.emptyings.read_text().splitlines()
    noted = [f"{name},{datetime.fromisoformat(at) + timedelta(hours=hours)}" for name, at in csv.reader(lines)]
    files.emptyings.write_text("\n".join([first, *noted]))

    figures = figures_of(files, "--empty-mm", 1300)

    assert figures["emptying_precision"] == figures["emptying_recall"] == 1


def test_an_ugly_set_in_any_order_is_read_and_most_emptyings_are_found(tmp_path: Path) -> None:
    files = write_set(tmp_path, ugly=True)

    figures = figures_of(files, "--empty-mm", 1300)

    assert figures["duplicates"] > 100
    assert figures["rejected_readings"] > 200
    assert figures["emptyings_unseen"] > 0
    assert figures["emptying_precision"] > 0.9
    assert figures["emptying_recall"] > 0.9
    assert figures["emptying_recall_all"] < figures["emptying_recall"]


def test_the_bottom_is_found_out(tmp_path: Path) -> None:
    figures = figures_of(write_set(tmp_path, bins=3, days=40), "--empty-mm", "auto", "--from", 0.4, "--to", 0.7)

    assert figures["emptying_recall"] == 1


def test_levels_are_evaluated_like_the_distances_they_come_from(tmp_path: Path) -> None:
    files = write_set(tmp_path, bins=3, days=40)
    lines = files.readings.read_text().splitlines()[1:]
    cells = [line.split(",") for line in lines]
    levels = tmp_path / "levels.csv"
    rows = [f"{name},{at},{(1300 - float(told)) / 1000:.3f}" for name, at, told, _ in cells]
    levels.write_text("\n".join(["bin,measured_at,fill_level", *rows]))

    from_levels = json.loads(evaluate("--readings", levels, "--emptyings", files.emptyings).stdout)["figures"]

    assert from_levels == pytest.approx(figures_of(files, "--empty-mm", 1300))


def test_figures_can_go_to_a_file_and_tables_to_people(tmp_path: Path) -> None:
    files = write_set(tmp_path, bins=2, days=10)
    out = tmp_path / "deep" / "figures.json"

    result = evaluate("--readings", files.readings, "--empty-mm", 1300, "--full-mm", 300, "--out", out)

    assert result.exit_code == 0
    assert result.stdout == ""
    assert "480 readings of 2 bins, 2023-03-01 to 2023-03-10." in result.stderr
    assert "Too few passages from 0.3 to 0.8" in result.stderr
    figures = json.loads(out.read_text())["figures"]
    assert "mae_hours" not in figures
    assert "emptying_recall" not in figures


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--empty-mm", 1300), "--full-mm has to say what is measured to the waste of a full bin."),
        (("--empty-mm", 300, "--full-mm", 300), "--empty-mm 300 has to be more than --full-mm 300."),
        (("--empty-mm", 1300, "--full-mm", 300, "--emptyings", "none.csv"), "none.csv cannot be read: no such file"),
        (("--empty-mm", 40, "--full-mm", 30), "none of its readings can be believed; are --empty-mm and --full-mm"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, arguments: tuple[object, ...], sentence: str) -> None:
    files = write_set(tmp_path, bins=1, days=3)

    result = evaluate("--readings", files.readings, *arguments)

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--empty-mm", "deep"), "a number of millimetres or auto, not 'deep'"),
        (("--empty-mm", "nan"), "a number of millimetres or auto, not 'nan'"),
        (("--only", "city"), "--only and --data are for evaluating without --readings"),
        (("--from", 0.8, "--to", 0.3), "--from 0.8 has to be less than --to 0.3"),
        (("--zone", "Mars/Olympus"), "There is no time zone 'Mars/Olympus'"),
    ],
)
def test_wrong_options_are_refused(arguments: tuple[object, ...], sentence: str) -> None:
    result = evaluate("--readings", "readings.csv", *arguments)

    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_emptyings_alone_start_no_evaluation_of_everything(tmp_path: Path) -> None:
    result = evaluate("--emptyings", "emptyings.csv", "--data", tmp_path, "--out", tmp_path / "out.json")

    assert result.exit_code == 2
    assert "--emptyings needs --readings" in result.stderr
