"""What the first start generates, who may read it, and that later starts keep it."""

import stat
from pathlib import Path

import pytest

from deploy.prepare import APP, BROKER, DATABASE, prepare
from tests.unit.deploy.project import read_compose

HOSTS = ["mosquitto", "bins.example.org"]
# The users of the official images and of ours, as docker-compose.yml runs them.
USERS = {name: int(service["user"].split(":")[0]) for name, service in read_compose()["services"].items()}


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """The volumes of the service `init`, empty."""
    for volume in read_compose()["services"]["init"]["volumes"]:
        (tmp_path / volume.split(":")[0]).mkdir()
    return tmp_path


def read(volumes: Path) -> dict[str, str]:
    return {str(path.relative_to(volumes)): path.read_text() for path in volumes.rglob("*") if path.is_file()}


def nobody(_path: Path, _user: int) -> None:
    """Stand in for chown, which only root may."""


def test_first_start_gives_each_process_what_it_needs_and_no_more(volumes: Path) -> None:
    prepare(volumes, HOSTS, nobody)

    names = {volume.name: {path.name for path in volume.iterdir()} for volume in volumes.iterdir()}
    assert names["broker-secrets"] == {"ca.pem", "server.pem", "server.key"}
    assert names["database-secrets"] == {"password"}
    assert names["migrate-secrets"] == {"pgpass", "ingest.password", "dashboard.password"}
    assert names["dashboard-secrets"] == {"pgpass"}
    assert len(names["ingest-secrets"]) == 8
    assert [name for name, files in names.items() if "ca.key" in files] == ["authority"]


def test_first_start_lets_only_the_owner_read(volumes: Path) -> None:
    owners: dict[str, int] = {}

    prepare(volumes, HOSTS, lambda path, user: owners.update({path.name.removeprefix("."): user}))

    modes = {stat.S_IMODE(path.stat().st_mode) for path in volumes.rglob("*") if path.name.endswith((".key", "pgpass"))}
    assert modes == {0o600}
    assert {stat.S_IMODE(volume.stat().st_mode) for volume in volumes.iterdir()} == {0o700}
    assert owners["server.key"] == owners["broker-data"] == BROKER == USERS["mosquitto"]
    assert owners["password"] == owners["database-data"] == DATABASE == USERS["timescaledb"]
    assert owners["pgpass"] == owners["ingest-secrets"] == owners["proxy-data"] == APP == USERS["ingest"]


def test_passwords_differ_between_roles_and_installations(volumes: Path) -> None:
    prepare(volumes, HOSTS, nobody)
    first = {name: text for name, text in read(volumes).items() if name.endswith(".password") and "authority" in name}
    for name in first:
        (volumes / name).unlink()

    prepare(volumes, HOSTS, nobody)

    second = {read(volumes)[name] for name in first}
    assert len({*first.values(), *second}) == 6
    assert all(len(password) >= 32 for password in second)


def test_second_start_changes_nothing(volumes: Path) -> None:
    prepare(volumes, HOSTS, nobody)
    before = read(volumes)

    prepare(volumes, HOSTS, nobody)

    assert read(volumes) == before


def test_lost_copies_come_back_from_the_authority(volumes: Path) -> None:
    prepare(volumes, HOSTS, nobody)
    before = read(volumes)
    for path in (volumes / "ingest-secrets").iterdir():
        path.unlink()

    prepare(volumes, HOSTS, nobody)

    assert read(volumes) == before
