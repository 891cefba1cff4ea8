from pathlib import Path

from tests.unit.firmware.device import run_micropython

PATH = "firmware:tests/unit/firmware:.frozen"


def run(script: str, folder: Path) -> list[int]:
    printed = run_micropython(Path(__file__).with_name(script).read_text(), folder=folder, path=PATH)

    # The lines before the last are MicroPython's complaints about files that the power cut left open.
    return [int(word) for word in printed.splitlines()[-1].split()]


def test_power_cut_at_every_write_to_flash_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    cuts, lost = run("cut_spool.py", tmp_path)

    assert cuts > 30
    assert lost == 0


def test_power_cut_at_every_write_leaves_the_old_configuration_or_the_new_one(tmp_path: Path) -> None:
    cuts, wrong, *versions = run("cut_remote.py", tmp_path)

    assert 3 < cuts < 99
    assert wrong == 0
    assert versions == [1, 2]
