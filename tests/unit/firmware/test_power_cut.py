from pathlib import Path

from tests.unit.firmware.device import run_micropython


def test_power_cut_at_every_write_to_flash_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    script = Path(__file__).with_name("littlefs.py").read_text()

    # The lines before the last are MicroPython's complaints about files that the power cut left open.
    cuts, lost = map(int, run_micropython(script, folder=tmp_path).splitlines()[-1].split())

    assert cuts > 30
    assert lost == 0
