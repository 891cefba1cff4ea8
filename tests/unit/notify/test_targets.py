import os
from pathlib import Path

import pytest

from ingest.errors import SettingsError
from ingest.notify.targets import read_targets

SECRET = "s3cr3t-pass"
USUAL = f"""
[default]
first = ["json://user:{SECRET}@127.0.0.1/hook"]

[depots.north]
first = ["mailto://user:{SECRET}@127.0.0.1?from=bins@example.org&to=north@example.org", "json://127.0.0.1"]
second = ["json://127.0.0.1/late"]
budget_per_day = 3
"""


def save(folder: Path, text: str, mode: int = 0o640) -> Path:
    path = folder / "targets.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_depot_has_its_own_targets_and_all_others_the_default(tmp_path: Path) -> None:
    directory = read_targets(save(tmp_path, USUAL))

    assert [target.name for target in directory.targets("north", "first")] == ["north first 1", "north first 2"]
    assert [target.name for target in directory.targets("south", "first")] == ["(default) first 1"]
    assert directory.targets("", "second") == []
    assert (directory.depot("north").budget_per_day, directory.depot("south").budget_per_day) == (3, 10)
    assert len(list(directory.all_targets())) == 4


@pytest.mark.parametrize("path", [None, Path("/nowhere/targets.toml")])
def test_without_a_file_nobody_is_told(path: Path | None) -> None:
    assert list(read_targets(path).all_targets()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (USUAL.replace("json://user", "nonsense://user"), "(default) first 1 is no address"),
        (USUAL.replace("budget_per_day = 3", "budget = 3"), "depots.north.budget"),
        (USUAL.replace("budget_per_day = 3", "budget_per_day = -1"), "greater than or equal to 0"),
        (USUAL.replace('["json://127.0.0.1/late"]', f'"json://{SECRET}"'), "depots.north.second"),
        (USUAL + "]", "is not TOML"),
    ],
)
def test_wrong_file_is_explained_without_its_secrets(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_targets(save(tmp_path, text))

    output = capfd.readouterr()
    assert words in str(caught.value)
    assert SECRET not in str(caught.value) + output.out + output.err


@pytest.mark.skipif(os.name != "posix", reason="File modes are POSIX's.")
def test_file_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chmod o="):
        read_targets(save(tmp_path, USUAL, mode=0o644))


def test_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(SettingsError, match="cannot be read: is a directory"):
        read_targets(tmp_path)


def test_secrets_do_not_show_in_what_is_printed(tmp_path: Path) -> None:
    directory = read_targets(save(tmp_path, USUAL))

    assert SECRET not in repr(directory) + repr(list(directory.all_targets()))
