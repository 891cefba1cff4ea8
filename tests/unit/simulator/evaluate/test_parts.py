from pathlib import Path

from typer.testing import CliRunner

from simulator.__main__ import app


def test_a_part_without_its_data_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    out = tmp_path / "evaluate.json"
    arguments = ["evaluate", "--only", "edinburgh", "--only", "wyndham", "--data", str(tmp_path), "--out", str(out)]

    result = CliRunner().invoke(app, arguments)

    # Nothing was evaluated.
    assert result.exit_code == 1
    missing = tmp_path / "edinburgh" / "collections_2016.csv"
    assert f"Edinburgh's litter bins: left out, because {missing} is not here." in result.stderr
    assert "Wyndham's compacting bins: left out" in result.stderr
    assert not out.exists()


def test_a_part_that_there_is_not_is_refused() -> None:
    result = CliRunner().invoke(app, ["evaluate", "--only", "paris"])

    assert result.exit_code == 2
    assert "not paris" in " ".join(result.stderr.replace("│", " ").split())
