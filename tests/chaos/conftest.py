"""Servers that may be killed, shared by the tests that do so: each has devices of its own."""

from collections.abc import Iterator

import pytest

from tests.chaos.stack import Stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running
