from pathlib import Path

import pytest

from dashboard.errors import DashboardError
from dashboard.headers import content_policy
from dashboard.settings import Settings, read_settings


def test_tile_origin_is_what_the_content_policy_allows() -> None:
    settings = Settings(tile_url="https://tiles.example.org/{z}/{x}/{y}.png")

    policy = content_policy(["'sha256-x'"], settings.tile_origin)

    assert "img-src 'self' data: blob: https://tiles.example.org;" in policy
    assert "connect-src 'self' https://tiles.example.org;" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BRIMWATCH_TILE_URL", "ftp://x/{z}/{x}/{y}", "BRIMWATCH_TILE_URL is not usable: must look like"),
        ("BRIMWATCH_TILE_URL", "https://x/{z}", "BRIMWATCH_TILE_URL is not usable: must look like"),
        (
            "BRIMWATCH_TILE_URL",
            "https://x; script-src *; /{z}/{x}/{y}",
            "BRIMWATCH_TILE_URL is not usable: must look like",
        ),
        ("BRIMWATCH_TIME_ZONE", "Mars/Olympus", "BRIMWATCH_TIME_ZONE is not usable: is not a time zone"),
        ("BRIMWATCH_HTTP_PORT", "x", "BRIMWATCH_HTTP_PORT"),
        ("BRIMWATCH_BASEMAP", "/nowhere", "BRIMWATCH_BASEMAP is not usable: is not a folder"),
    ],
)
def test_wrong_setting_is_named(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(DashboardError, match=words):
        read_settings()


def test_empty_settings_are_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRIMWATCH_TILE_URL", "")
    monkeypatch.setenv("BRIMWATCH_BASEMAP", str(tmp_path))

    settings = read_settings()

    assert settings.tile_url == ""
    assert settings.basemap == tmp_path
