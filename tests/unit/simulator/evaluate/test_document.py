import math
from pathlib import Path

import pytest

from simulator.evaluate import document
from simulator.evaluate.document import DOCUMENT, KEPT, keep, kept, render
from simulator.evaluate.parts import PARTS, WANTED, holds
from simulator.evaluate.plots import draw, draw_bars
from simulator.evaluate.scores import Evaluation, Plot, Table

PLOT = Plot("error", "Error by horizon", "hours ahead", "hours", {"ours": ([1, 2], [3, 4]), "naive": ([1, 2], [5, 6])})
SMALL = Evaluation(
    figures={"edinburgh.mae_points": 13.4, "edinburgh.pinball_gain": 0.2, "edinburgh.cases": 1234.0},
    tables=[Table("Errors", ("who", "points"), [("ours", 13.4), ("a | b", math.nan)])],
    notes=["Measured on 3 cases."],
    plots=[PLOT],
)


def test_document_says_what_was_found_and_what_was_not_reached() -> None:
    text = render({"edinburgh": SMALL})

    assert "| `edinburgh.mae_points` | 13.4 | <= 13 | **no** |" in text
    assert "| `edinburgh.pinball_gain` | 0.2 | >= 0.18 | yes |" in text
    assert "| `edinburgh.cases` | 1,234 |  |  |" in text
    assert "**Errors**\n\n| who | points |\n| --- | ---: |\n| ours | 13.4 |\n| a \\| b | - |" in text
    assert "![Error by horizon](accuracy/error.svg)" in text
    assert "- Measured on 3 cases." in text
    assert text.count("*Not evaluated yet.*") == len(PARTS) - 1
    assert "<!--" not in text


def test_evaluations_are_kept_as_they_were(tmp_path: Path) -> None:
    keep({"edinburgh": SMALL}, tmp_path / "kept.json")

    again = kept(tmp_path / "kept.json")

    assert render(again) == render({"edinburgh": SMALL})
    assert draw(again["edinburgh"].plots[0]) == draw(PLOT)
    assert kept(tmp_path / "nothing.json") == {}


def test_the_document_here_says_what_the_figures_beside_it_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(kept(KEPT))


def test_a_plot_is_always_drawn_alike() -> None:
    drawn = draw(PLOT)

    assert drawn == draw(PLOT)
    assert "Error by horizon" in drawn
    assert "<dc:date>" not in drawn


def test_errors_are_drawn_as_bars() -> None:
    table = Table("Errors", ("forecast", "mean error, h", "pinball"), [("ours", 2.0, 1.0), ("bin mean", 3.5, 2.0)])

    text = render({"city": Evaluation({}, [table])})
    drawn = draw_bars(table, 1)

    assert "![Errors](accuracy/city-1.svg)" in text
    assert drawn == draw_bars(table, 1)
    assert "bin mean" in drawn
    assert ">3.5<" in drawn


@pytest.mark.parametrize(
    ("value", "wanted", "reached"),
    [
        (2.0, "<= 2", True),
        (2.01, "<= 2", False),
        (0.15, ">= 0.15", True),
        (0.1, ">= 0.15", False),
        (0.8, "0.75 to 0.85", True),
        (0.9, "0.75 to 0.85", False),
        (0, "0", True),
        (1, "0", False),
    ],
)
def test_figures_are_held_against_what_is_wanted(value: float, wanted: str, reached: bool) -> None:
    assert holds(value, wanted) is reached


def test_all_that_is_wanted_can_be_read() -> None:
    assert all(isinstance(holds(0.5, wanted), bool) for wanted in WANTED.values())
    assert document.TEMPLATE.read_text(encoding="utf-8").count("<!--") == len(PARTS) + 1
