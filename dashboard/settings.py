"""The read side's settings, from environment variables `BRIMWATCH_*` (`.env.example` names every one)."""

from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dashboard.errors import DashboardError


class Settings(BaseSettings):
    """How the read side is served.

    Attributes:
        http_host: address to listen on.
        http_port: port to listen on.
        trusted_proxies: addresses, separated by commas, whose `X-Forwarded-*` headers are believed.
        basemap: folder with roads.geojson, parks.geojson, water.geojson, buildings.geojson; each may be missing.
        tile_url: raster tiles `https://host/{z}/{x}/{y}.png` to draw under the bins; empty for none.
        tile_attribution: what the tiles' owner wants shown.
        time_zone: in which pages show times.
        session_hours: how long a browser stays signed in.
    """

    model_config = SettingsConfigDict(env_prefix="BRIMWATCH_", frozen=True, env_ignore_empty=True)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    trusted_proxies: str = "127.0.0.1"
    basemap: Path | None = None
    tile_url: str = ""
    tile_attribution: str = ""
    time_zone: str = "Europe/London"
    session_hours: int = Field(default=12, ge=1, le=720)

    @field_validator("tile_url")
    @classmethod
    def _tile_url_names_a_tile(cls, value: str) -> str:
        if value and (
            urlsplit(value).scheme not in {"http", "https"}
            or not urlsplit(value).netloc
            or any(mark in value for mark in " ;,'\"")
            or not all(part in value for part in ("{z}", "{x}", "{y}"))
        ):
            raise ValueError("must look like https://host/{z}/{x}/{y}.png")
        return value

    @field_validator("time_zone")
    @classmethod
    def _time_zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("is not a time zone such as Europe/London") from error
        return value

    @field_validator("basemap")
    @classmethod
    def _basemap_is_a_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError(f"is not a folder: {value}")
        return value

    @property
    def tile_origin(self) -> str:
        """Scheme and host of the tiles, for the content security policy; empty for none."""
        if not self.tile_url:
            return ""
        parts = urlsplit(self.tile_url)
        return f"{parts.scheme}://{parts.netloc}"


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        DashboardError: a setting is wrong; names all that are.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [_sentence(str(item["loc"][0]), item["msg"]) for item in error.errors()]
        raise DashboardError(" ".join(wrong)) from error


def _sentence(name: str, message: str) -> str:
    words = message.removeprefix("Value error, ")
    return f"The setting BRIMWATCH_{name.upper()} is not usable: {words[:1].lower()}{words[1:]}."
