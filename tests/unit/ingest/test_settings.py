from pathlib import Path

import pytest

from ingest.errors import SettingsError
from ingest.settings import MigrateSettings, ServeSettings, load


def test_every_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRIMWATCH_MQTT_HOST", "BRIMWATCH_CERTIFICATES"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SettingsError) as caught:
        load(ServeSettings)

    assert str(caught.value).splitlines() == [
        "The setting BRIMWATCH_MQTT_HOST is missing.",
        "The setting BRIMWATCH_CERTIFICATES is missing.",
    ]


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIMWATCH_MQTT_HOST", "broker.example")
    monkeypatch.setenv("BRIMWATCH_CERTIFICATES", "/etc/brimwatch")
    monkeypatch.setenv("BRIMWATCH_HEALTH_PORT", "")

    settings = load(ServeSettings)

    assert (settings.mqtt_host, settings.mqtt_port) == ("broker.example", 8883)
    assert (settings.certificates, settings.health_port) == (Path("/etc/brimwatch"), None)


def test_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIMWATCH_MQTT_HOST", "broker.example")
    monkeypatch.setenv("BRIMWATCH_CERTIFICATES", "/etc/brimwatch")
    monkeypatch.setenv("BRIMWATCH_MQTT_PORT", "eight")

    with pytest.raises(SettingsError, match="BRIMWATCH_MQTT_PORT is not usable") as caught:
        load(ServeSettings)

    assert "eight" not in str(caught.value)


def test_passwords_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIMWATCH_INGEST_PASSWORD", "open-sesame")

    assert "open-sesame" not in repr(load(MigrateSettings))
