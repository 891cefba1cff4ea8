"""Runs in MicroPython: takes a configuration on LittleFS whose power fails at every single write in turn."""

# ruff: noqa: ANN001, ANN201, PTH123, T201 - a script for MicroPython

import json

from littlefs import Flash, PowerCutError
from smartbin import cbor
from smartbin.remote import Remote

INTERVALS_S = {1: 600, 2: 900, 3: 1200}  # of each version
PROVISIONED = {"device": "d-0001", "mqtt_host": "broker.example"}


def wake(complaints):
    return Remote("/flash/", complaints.append)


def payload(version):
    return cbor.encode((1, version, {"measure_interval_s": INTERVALS_S[version], "jump_mm": 100 + version}))


def is_whole(config):
    version = config.config_version
    return (config.measure_interval_s, config.jump_mm) == (INTERVALS_S.get(version), 100 + version)


def run(cut_at):
    """Take version 2 over version 1; give whether that returned, and the flash after the power cut."""
    flash = Flash()
    flash.mount()
    with open("/flash/config.json", "w") as file:
        json.dump(PROVISIONED, file)
    wake([]).take(payload(1))
    remote = wake([])
    flash.writes_left = cut_at
    try:
        remote.take(payload(2))
        was_kept = not remote.refused
    except PowerCutError:
        was_kept = False
    flash.umount()
    return was_kept, flash


wrong, versions = 0, set()
for cuts in range(100):
    was_kept, flash = run(cut_at=cuts + 1)
    complaints = []
    flash.mount()
    before = wake(complaints).config
    versions.add(before.config_version)
    wrong += bool(complaints) or not is_whole(before) or (was_kept and before.config_version != 2)
    wake([]).take(payload(3))
    after = wake(complaints).config
    wrong += not is_whole(after) or after.config_version != 3
    flash.umount()
    if was_kept:
        break
print(cuts, wrong, *sorted(versions))
