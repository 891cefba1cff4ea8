"""The registry's commands as people use them, in this process."""

from pathlib import Path

import psycopg
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.errors import IngestError
from tests.conftest import MigratedDatabase


def ingest(database: MigratedDatabase, *arguments: str) -> str:
    """Run a command in this process, which must succeed, and give what it printed."""
    result = CliRunner().invoke(app, arguments, env=database.ingest_env)
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return result.output


def failure(database: MigratedDatabase, *arguments: str) -> str:
    """Run a command that has to fail, and give its sentence."""
    result = CliRunner().invoke(app, arguments, env=database.ingest_env)
    assert isinstance(result.exception, IngestError), result.output
    return str(result.exception)


def rows(database: MigratedDatabase, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.conninfo) as connection:
        return connection.execute(query).fetchall()


def save(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return str(folder / name)
