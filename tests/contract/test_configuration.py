"""What the server sets a device to, and what the device takes: the same settings in the same ranges."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.smartbin import remote
from firmware.smartbin.config import FIELDS, Config, ConfigError
from ingest.configuration import SETTINGS, Configuration, fault_of
from tests.contract.golden import load, named

ROW = re.compile(r"^\| `(\w+)` \| (\d+)\.\.(\d+) \|", re.MULTILINE)
PROVISIONED: dict[str, object] = {"device": "d-1", "mqtt_host": "broker.example.org"}


@pytest.mark.parametrize("example", **named(load("v1/config")))
def test_ingester_writes_the_configuration(example: dict[str, Any]) -> None:
    assert Configuration(example["config_version"], example["settings"]).payload().hex() == example["cbor"]


def test_settings_are_those_of_the_firmware_and_of_the_contract() -> None:
    section = (Path(__file__).parents[2] / "docs/contract.md").read_text().partition("## The configuration")[2]
    documented = {name: (int(low), int(high)) for name, low, high in ROW.findall(section.partition("\n## ")[0])}
    assert set(SETTINGS) == set(remote.SETTINGS)
    built_in = {name: (low, high, default) for name, default, low, high in FIELDS if name in SETTINGS}

    assert {name: (each.lowest, each.highest) for name, each in SETTINGS.items()} == documented
    assert {name: (each.lowest, each.highest, each.default) for name, each in SETTINGS.items()} == built_in


@given(
    st.dictionaries(st.sampled_from(sorted(SETTINGS)), st.integers(0, 700_000))
    | st.fixed_dictionaries(
        {},
        optional={
            "measure_interval_s": st.integers(300, 86_400),
            "report_interval_s": st.integers(300, 86_400),
            "nearest_mm": st.integers(0, 1000),
            "farthest_mm": st.integers(100, 1100),
        },
    )
)
def test_what_the_server_finds_right_a_device_takes_and_nothing_else(settings: dict[str, int]) -> None:
    try:
        Config({**PROVISIONED, **settings})
    except ConfigError:
        taken = False
    else:
        taken = True

    assert (fault_of(settings) is None) == taken
