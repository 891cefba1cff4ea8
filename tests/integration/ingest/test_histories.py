"""Readings in any order, repeated, split into any messages, over both streams at once; `make prove` tries more."""

from tests.conftest import MigratedDatabase
from tests.integration.ingest.histories import examine


def test_any_delivery_leaves_the_same_table(database: MigratedDatabase) -> None:
    examples, different = examine(database.conninfo, 30)

    assert different == []
    assert examples == 30
