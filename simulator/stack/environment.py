"""The settings that the demo's processes run with, each role with its own password only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.stack.home import Home

HOST = "127.0.0.1"
AREA = "-5.6,53.6,-4.2,54.4"
"""The sea around the invented town: the registry refuses bins elsewhere."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Makes what is added to the environment of child processes.

    Attributes:
        home: the demo's folder.
        database: libpq's variables of the database's owner.
        mqtt_port: of the broker.
        http_port: of pages and API.
        health_port: of the ingester's /healthz, /readyz and /metrics.
    """

    home: Home
    database: Mapping[str, str]
    mqtt_port: int
    http_port: int
    health_port: int

    def owner(self) -> dict[str, str]:
        """For `migrate`, which gives the other roles their passwords."""
        notes = self.home.notes()
        passwords = {
            "BRIMWATCH_INGEST_PASSWORD": notes["ingest_password"],
            "BRIMWATCH_DASHBOARD_PASSWORD": notes["dashboard_password"],
        }
        return {**self.database, **passwords}

    def ingest(self) -> dict[str, str]:
        """For everything that writes telemetry and registry."""
        return {
            **self.database,
            "PGUSER": "brimwatch_ingest",
            "PGPASSWORD": self.home.notes()["ingest_password"],
            "BRIMWATCH_AREA": AREA,
            "BRIMWATCH_CERTIFICATES": str(self.home.certificates),
            "BRIMWATCH_MQTT_HOST": HOST,
            "BRIMWATCH_MQTT_PORT": str(self.mqtt_port),
            "BRIMWATCH_HEALTH_HOST": HOST,
            "BRIMWATCH_HEALTH_PORT": str(self.health_port),
        }

    def dashboard(self) -> dict[str, str]:
        """For pages, API, and their accounts."""
        return {
            **self.database,
            "PGUSER": "brimwatch_dashboard",
            "PGPASSWORD": self.home.notes()["dashboard_password"],
            "BRIMWATCH_HTTP_HOST": HOST,
            "BRIMWATCH_HTTP_PORT": str(self.http_port),
            "BRIMWATCH_BASEMAP": str(self.home.town / "basemap"),
        }


def forget_other_settings() -> None:
    """Drop what a developer has set for another installation from our environment: it must not reach this one."""
    for name in list(os.environ):
        if name.startswith(("BRIMWATCH_", "PG")) or name == "DATABASE_URL":
            del os.environ[name]
