"""What the stage tells its subjects through the environment."""

from collections.abc import Mapping
from pathlib import Path

from ingest.link import Link


def read_link(environ: Mapping[str, str]) -> Link:
    """Say where the broker is."""
    return Link(
        environ["BRIMWATCH_MQTT_HOST"], int(environ["BRIMWATCH_MQTT_PORT"]), Path(environ["BRIMWATCH_CERTIFICATES"])
    )
