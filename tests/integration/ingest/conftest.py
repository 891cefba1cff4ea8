"""An ingester that runs, and a device that may publish."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.stack.broker import Broker
from tests.conftest import MigratedDatabase
from tests.integration.ingest.ingester import Ingester, Peer, enrol


@pytest.fixture
def ingester(tmp_path: Path, database: MigratedDatabase, broker: Broker) -> Iterator[Ingester]:
    with Ingester(tmp_path, database, broker) as running:
        yield running


@pytest.fixture
def peer(tmp_path: Path, database: MigratedDatabase, broker: Broker, authority: Path) -> Iterator[Peer]:
    """A device of a name that no other test uses: all share one broker."""
    ref = f"d-{secrets.token_hex(4)}"
    enrol(database, authority, tmp_path / "devices", ref)
    with Peer(tmp_path / "devices", ref, broker) as connected:
        yield connected
