from pathlib import Path

import pytest

from simulator.stack.errors import StackError
from simulator.stack.home import Home, write_secret


def test_notes_keep_their_passwords_for_the_next_start(tmp_path: Path) -> None:
    first = Home(tmp_path / "demo")
    first.open()
    notes = first.notes()
    first.note(api_key="k")
    first.close()

    again = Home(tmp_path / "demo").notes()

    assert again == notes | {"api_key": "k"}
    assert len(set(again.values())) == len(again)


def test_notes_are_for_us_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo")
    home.open()
    home.notes()
    home.close()

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "demo").glob("*.json")}

    assert modes == {"notes.json": 0o600}


def test_open_while_another_demo_runs_is_refused(tmp_path: Path) -> None:
    running = Home(tmp_path / "demo")
    running.open()

    with pytest.raises(StackError, match="runs already"):
        Home(tmp_path / "demo").open()

    running.close()


def test_open_where_nothing_can_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StackError, match="Cannot use the folder"):
        Home(tmp_path / "file" / "demo").open()


def test_write_secret_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret.json"
    write_secret(path, "a long first text")

    write_secret(path, "short")

    assert path.read_text() == "short"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.json"]
