"""The made-up board is as strict as the chip; otherwise the firmware's tests would prove less than they say."""

import json
import time
from pathlib import Path

import pytest

from tests.unit.firmware.conftest import MakeDevice
from tests.unit.firmware.device import run_micropython
from tests.unit.firmware.scripted_broker import ScriptedBroker

FAKES = "firmware/fakes:firmware:.frozen"
KILLED = {-9, 137}

REFUSED = [
    ("machine.RTC().memory(bytes(2049))", "ValueError"),
    ("esp32.NVS('smartbin').set_i32('a_name_of_16_chr', 1)", "OSError"),
    ("esp32.NVS('smartbin').set_i32('number', 1 << 31)", "OverflowError"),
    ("esp32.NVS('smartbin').get_i32('missing')", "OSError"),
    ("network.WLAN(network.STA_IF).connect('ssid', 'psk')", "OSError"),
    ("(network.WLAN(network.STA_IF).active(True), machine.ADC(machine.Pin(25)).read_uv())", "OSError"),
]


@pytest.mark.parametrize(("expression", "error"), REFUSED)
def test_fake_refuses_what_the_chip_refuses(tmp_path: Path, expression: str, error: str) -> None:
    script = f"""
import machine, esp32, network
try:
    {expression}
except Exception as error:
    print(type(error).__name__)
"""

    assert run_micropython(script, folder=tmp_path, path=FAKES).strip() == error


def test_numbers_outlive_the_power_only_once_committed(tmp_path: Path) -> None:
    write = "import machine, esp32\nnvs = esp32.NVS('a')\nnvs.set_i32('x', 1)\n{}"
    read = (
        "import machine, esp32\ntry:\n    print(esp32.NVS('a').get_i32('x'))\nexcept OSError as e:\n    print(e.errno)"
    )

    run_micropython(write.format(""), folder=tmp_path, path=FAKES)
    before = run_micropython(read, folder=tmp_path, path=FAKES)
    run_micropython(write.format("nvs.commit()"), folder=tmp_path, path=FAKES)
    after = run_micropython(read, folder=tmp_path, path=FAKES)

    assert (before.strip(), after.strip()) == ("-4354", "1")


def test_clock_starts_in_2000_and_counts_from_there(tmp_path: Path) -> None:
    script = "import machine, time\nprint(time.time(), time.gmtime(0)[0], time.gmtime()[0])"

    seconds, *years = map(int, run_micropython(script, folder=tmp_path, path=FAKES).split())

    assert 0 <= seconds < 60
    assert years == [2000, 2000]


def test_watchdog_kills(make_device: MakeDevice, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / "fakes").symlink_to(Path(__file__).parents[3] / "firmware/fakes")
    (program / "main.py").write_text("import machine, time\nmachine.WDT(timeout=300)\ntime.sleep(30)\n")
    began = time.monotonic()

    wake = make_device().wake(program=str(program))

    assert wake.code in KILLED
    assert time.monotonic() - began < 25


def test_reset_cause_is_told(make_device: MakeDevice, scripted_broker: ScriptedBroker) -> None:
    device = make_device()
    device.wake()
    device.wake_and_kill(0.1)
    (device.folder / "sleep.json").unlink(missing_ok=True)

    device.wake()

    assert b"watchdog" in scripted_broker.messages[-1].payload
    assert json.loads((device.folder / "nvs.json").read_text())["smartbin"]["epoch"] == 1


def test_battery_too_weak_for_the_radio_still_measures(
    make_device: MakeDevice, scripted_broker: ScriptedBroker
) -> None:
    device = make_device()
    nvs = {"smartbin": {"epoch": 3, "unfinished": 3}}  # three wakes in a row died and lost their memory
    (device.folder / "nvs.json").write_text(json.dumps(nvs))

    weak = device.wake()
    recovered = [device.wake() for _ in range(2)]

    assert weak.recorded == [(4, 0)]
    assert "acked" not in weak.output
    assert "acked" in recovered[-1].output
    assert sorted(scripted_broker.stored)[:2] == [(4, 0), (4, 1)]
