"""Settings of the write side's commands, from the environment (`BRIMWATCH_*`; the database from libpq's `PG*`)."""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.crash import PATTERN as CRASH_PATTERN
from ingest.errors import SettingsError

PREFIX = "BRIMWATCH_"
Kind = TypeVar("Kind", bound=BaseSettings)


class LogSettings(BaseSettings):
    """How a process speaks to whoever reads its log."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    log_format: Literal["text", "json"] = "text"


class ServeSettings(LogSettings):
    """What `serve` needs.

    Attributes:
        mqtt_host: name or address of the broker; its certificate has to bear it.
        mqtt_port: TCP port of the broker's TLS listener.
        certificates: folder with ca.pem and the three client certificates of `certificates init`.
        health_host: address that /healthz, /readyz and /metrics listen on.
        health_port: TCP port of /healthz, /readyz and /metrics; None for none, 0 for any free one.
        batch_messages: largest number of messages in one transaction; the broker may have twice as many in flight.
        device_messages_per_s: messages a second that one device may send for long; 0 for no limit.
        device_readings_per_s: the same for readings.
        crash_at: for tests only: `point:n` ends the process with SIGKILL when it passes that point the n-th time.
    """

    mqtt_host: str
    mqtt_port: int = Field(default=8883, ge=1, le=65535)
    certificates: Path
    health_host: str = "127.0.0.1"
    health_port: int | None = Field(default=None, ge=0, le=65535)
    batch_messages: int = Field(default=10_000, ge=1, le=20000)
    device_messages_per_s: float = Field(default=100, ge=0, allow_inf_nan=False)
    device_readings_per_s: float = Field(default=2000, ge=0, allow_inf_nan=False)
    crash_at: str | None = Field(default=None, pattern=CRASH_PATTERN)


class MigrateSettings(LogSettings):
    """What `migrate` needs: the passwords that the two roles get, each left as it is where none is given."""

    ingest_password: SecretStr | None = None
    dashboard_password: SecretStr | None = None


def load(kind: type[Kind]) -> Kind:
    """Read a process's settings from the environment.

    Raises:
        SettingsError: settings are missing or wrong; one sentence for each.
    """
    try:
        return kind()
    except ValidationError as error:
        sentences = [_sentence(tuple(fault["loc"]), fault["type"], fault["msg"]) for fault in error.errors()]
        raise SettingsError("\n".join(sentences)) from None


def _sentence(location: tuple[int | str, ...], fault: str, message: str) -> str:
    name = PREFIX + "_".join(str(part) for part in location).upper().removeprefix(PREFIX)
    if fault == "missing":
        return f"The setting {name} is missing."
    message = message.removeprefix("Value error, ")
    # Never the value: it may be a secret.
    return f"The setting {name} is not usable: {message[:1].lower()}{message[1:]}."
