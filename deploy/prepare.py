#!/usr/bin/env python3
"""Makes what the containers need before they can start: passwords, certificates, folders that their users may write.

Run as root by the service `init` of docker-compose.yml, at every `docker compose up`. The first run generates all;
later runs only add what is missing and renew what is about to expire. What cannot be made again lies in the volume
`authority`; the others get what their processes need, and nothing else.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

APP = 10001
"""The user of our own processes and of the proxy."""
BROKER = 1883
"""The user of the official Mosquitto image."""
DATABASE = 70
"""The user of the official TimescaleDB image."""

DATA_OWNERS = {"database-data": DATABASE, "broker-data": BROKER, "proxy-data": APP, "proxy-config": APP}
"""Volumes that a program fills by itself."""

BROKER_FILES = ("ca.pem", "server.pem", "server.key")
INGEST_FILES = (
    "ca.pem",
    *(f"brimwatch-{client}.{kind}" for client in ("readings", "backlog", "send") for kind in ("pem", "key")),
)

Give = Callable[[Path, int], None]


def prepare(volumes: Path, hosts: list[str], give: Give) -> None:
    """Fill the volumes.

    Args:
        volumes: folder that holds each volume as a folder of its name.
        hosts: names and addresses that the broker's certificate has to bear.
        give: makes a path belong to a user id.

    Raises:
        CalledProcessError: the certificates could not be made; the command has said why.
        OSError: a volume cannot be written.
    """
    authority = volumes / "authority"
    authority.chmod(0o700)
    owner, ingest, dashboard = (_password(authority / f"{role}.password") for role in ("owner", "ingest", "dashboard"))
    _make_certificates(authority, hosts)
    certificates = {name: (authority / name).read_text() for name in (*BROKER_FILES, *INGEST_FILES)}
    _hand_out(volumes / "broker-secrets", BROKER, {name: certificates[name] for name in BROKER_FILES}, give)
    _hand_out(volumes / "database-secrets", DATABASE, {"password": owner}, give)
    migrate = {"pgpass": _pgpass("brimwatch", owner), "ingest.password": ingest, "dashboard.password": dashboard}
    _hand_out(volumes / "migrate-secrets", APP, migrate, give)
    ingester = {"pgpass": _pgpass("brimwatch_ingest", ingest)} | {name: certificates[name] for name in INGEST_FILES}
    _hand_out(volumes / "ingest-secrets", APP, ingester, give)
    _hand_out(volumes / "dashboard-secrets", APP, {"pgpass": _pgpass("brimwatch_dashboard", dashboard)}, give)
    # For `docker compose run registry`, which enrols devices and so holds the authority itself.
    _write(authority / "pgpass", _pgpass("brimwatch_ingest", ingest))
    for name, user in DATA_OWNERS.items():
        (volumes / name).chmod(0o700)
        give(volumes / name, user)


def _password(path: Path) -> str:
    if not path.exists():
        _write(path.with_suffix(".new"), secrets.token_urlsafe(32)).rename(path)
    return path.read_text()


def _make_certificates(folder: Path, hosts: list[str]) -> None:
    named = [word for host in hosts for word in ("--host", host)]
    subprocess.run([sys.executable, "-m", "ingest", "certificates", "init", "--dir", str(folder), *named], check=True)


def _pgpass(role: str, password: str) -> str:
    # The passwords hold none of the characters that libpq wants escaped here.
    return f"*:*:*:{role}:{password}\n"


def _hand_out(volume: Path, user: int, files: dict[str, str], give: Give) -> None:
    for name, content in files.items():
        draft = _write(volume / f".{name}", content)
        give(draft, user)
        draft.rename(volume / name)
    volume.chmod(0o700)
    give(volume, user)


def _write(path: Path, content: str) -> Path:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(content)
    return path


def main() -> None:
    """Read the arguments: the folder of the volumes, then the broker's names."""
    try:
        prepare(Path(sys.argv[1]), sys.argv[2:], lambda path, user: os.chown(path, user, user))
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"The installation could not be prepared: {error}")


if __name__ == "__main__":
    main()
