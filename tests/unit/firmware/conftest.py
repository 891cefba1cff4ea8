"""A broker that does as told, and devices that run the real firmware."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.registry.bundles import Broker, make_bundle
from ingest.registry.certificates import init_authority, load_authority
from tests.unit.firmware.device import Device
from tests.unit.firmware.scripted_broker import ScriptedBroker

MakeDevice = Callable[..., Device]


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority and the broker's certificate."""
    folder = tmp_path_factory.mktemp("pki")
    init_authority(folder, ["localhost", "127.0.0.1"], dt.datetime.now(dt.UTC))
    return folder


@pytest.fixture
def scripted_broker(pki: Path) -> Iterator[ScriptedBroker]:
    with ScriptedBroker(pki) as broker:
        yield broker


@pytest.fixture
def make_device(pki: Path, tmp_path: Path, scripted_broker: ScriptedBroker) -> MakeDevice:
    """Make a device with a real bundle; keyword arguments are settings."""

    def make(name: str = "d-0001", **settings: object) -> Device:
        where = Broker("127.0.0.1", scripted_broker.port)
        make_bundle(tmp_path / name, name, load_authority(pki), where, dt.datetime.now(dt.UTC))
        return Device(tmp_path / name, **settings)

    return make
