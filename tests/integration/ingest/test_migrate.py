import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from ingest.assess.store.runner import run
from ingest.errors import DatabaseLostError, MigrationError
from ingest.migrate import MIGRATIONS, migrate, set_password
from ingest.settings import MigrateSettings
from simulator.stack.database import Database
from simulator.stack.given import GivenDatabase
from tests.conftest import MigratedDatabase, conninfo, empty_database
from tests.integration.ingest.ingester import ROOT, change, rows

# A little of everything that a town had at schema version 8.
VERSION_8 = """
insert into depots (ref, name) values ('north', 'North yard'), ('south', 'South yard');
insert into bins (ref, name, depot_id, longitude, latitude, threshold, max_age_days)
    values ('b-1', 'High Street', 1, -4.6, 53.9, 0.6, 3);
insert into bins (ref, name, longitude, latitude) values ('b-2', 'Quay', -4.6, 53.9), ('b-3', 'Park', -4.6, 53.9);
insert into devices (ref) values ('s-1'), ('s-2');
insert into fittings (device_id, bin_id, fitted_at, empty_mm)
    values (1, 1, '2026-01-01Z', 900), (2, 2, '2026-01-01Z', 900);
insert into readings (device_id, epoch, seq, measured_at, distance_mm)
    select device, 1, seq, timestamptz '2026-03-01Z' + seq * interval '1 hour', 880 - 15 * (seq % 48)
    from generate_series(1, 2) as device, generate_series(1, 240) as seq;
insert into emptyings (bin_id, emptied_at, not_before, fill_before, fill_after, confidence, source) values
    (1, '2026-03-03Z', '2026-03-02 23:00Z', 0.9, 0, 1, 'sensor'),
    (1, '2026-03-05Z', '2026-03-04 23:00Z', 0.9, 0, 1, 'sensor'),
    (1, '2026-03-07Z', '2026-03-06 23:00Z', 0.9, 0, 1, 'sensor'),
    (2, '2026-03-02Z', '2026-03-01Z', null, null, 1, 'crew');
insert into bin_state
    (bin_id, assessed_at, fill_level, sensor, reason, due_class, priority, due_since, explanation) values
    (1, '2026-03-03Z', 0.7, 'ok', 'FULLNESS', 'must_go', 70, '2026-03-03Z', 'It is full.'),
    (2, '2026-03-03Z', 0.2, 'ok', 'NOT_READY', null, 0, null, 'It is not full.');
insert into audit_log (actor, action, subject) values ('anna', 'bin.import', 'b-1'), ('anna', 'bin.import', 'b-2');
"""
KEPT: dict[str, LiteralString] = {
    "bins": "select ref, depot_id, threshold, max_age_days, capacity_l, created_at from bins order by id",
    "fittings": "select device_id, bin_id, fitted_at, removed_at, empty_mm, full_mm from fittings order by id",
    "readings": "select device_id, epoch, seq, measured_at, received_at, distance_mm from readings"
    " order by device_id, seq",
    "emptyings": "select bin_id, emptied_at, not_before, fill_before, fill_after, confidence, source from emptyings"
    " order by bin_id, emptied_at",
    "bin_state": "select bin_id, fill_level, reason, due_class, priority, due_since, explanation from bin_state"
    " order by bin_id",
    "audit_log": "select at, actor, action, subject from audit_log order by id",
}


@pytest.fixture
def owned(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> MigratedDatabase:
    """A migrated database that PG* names, as it does for a command."""
    for name, value in database.env.items():
        monkeypatch.setenv(name, value)
    return database


def migrations(folder: Path, **files: str) -> Path:
    """Give a folder with the real migrations and more."""
    (folder / "views").mkdir(parents=True)
    for path in MIGRATIONS.rglob("*.sql"):
        (folder / path.relative_to(MIGRATIONS)).write_bytes(path.read_bytes())
    for name, text in files.items():
        (folder / f"{name.replace('__', '/')}.sql").write_text(text)
    return folder


def test_second_run_applies_nothing(owned: MigratedDatabase) -> None:
    assert migrate(MigrateSettings()) == []
    applied = rows(owned, "select name from schema_migrations order by name")
    assert [name for (name,) in applied] == sorted(path.name for path in MIGRATIONS.glob("[0-9]*.sql"))


def test_new_file_is_applied_once(tmp_path: Path, owned: MigratedDatabase) -> None:
    folder = migrations(tmp_path / "m", **{"9001_more": "create table more (id integer)"})

    assert migrate(MigrateSettings(), folder) == ["9001_more.sql"]
    assert migrate(MigrateSettings(), folder) == []
    assert rows(owned, "select id from more") == []


def test_changed_file_is_an_error(tmp_path: Path, owned: MigratedDatabase) -> None:
    assert owned
    folder = migrations(tmp_path / "m", **{"0002_readings": "select 1"})

    with pytest.raises(MigrationError, match=r"0002_readings\.sql was changed after"):
        migrate(MigrateSettings(), folder)


def test_failing_file_leaves_nothing_behind(tmp_path: Path, owned: MigratedDatabase) -> None:
    folder = migrations(tmp_path / "m", **{"9001_more": "create table more (id integer); select 1 / 0"})

    with pytest.raises(MigrationError, match=r"9001_more\.sql failed: division by zero"):
        migrate(MigrateSettings(), folder)

    assert rows(owned, "select to_regclass('more')") == [(None,)]


def test_views_that_depend_on_each_other_are_made_again(tmp_path: Path, owned: MigratedDatabase) -> None:
    dependent = {"views__zz_levels": "create view zz_levels as select ref, fill_level from bin_status"}
    folder = migrations(tmp_path / "m", **dependent)
    migrate(MigrateSettings(), folder)

    changed = dependent["views__zz_levels"].replace("fill_level", "fill_level, quality")
    (folder / "views" / "zz_levels.sql").write_text(changed)
    migrate(MigrateSettings(), folder)

    assert rows(owned, "select ref, fill_level, quality from zz_levels") == []


def test_view_of_somebody_else_is_not_taken_along(owned: MigratedDatabase) -> None:
    change(owned, "create view council_report as select ref from bin_status")

    with pytest.raises(MigrationError, match="view council_report depends on view bin_status"):
        migrate(MigrateSettings())

    assert rows(owned, "select ref from council_report") == []


def test_ingester_may_write_but_not_change_what_is_stored(database: MigratedDatabase) -> None:
    with psycopg.connect(conninfo(database.ingest_env)) as connection:
        connection.execute("insert into readings (device_id, epoch, seq, measured_at) values (1, 1, 1, now())")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update readings set distance_mm = 0")


def test_password_is_set_when_it_is_given(owned: MigratedDatabase) -> None:
    role, password = f"brimwatch_{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    change(owned, f"create role {role}")

    with psycopg.connect(owned.conninfo, autocommit=True) as connection:
        set_password(connection, role, SecretStr(password))
    try:
        with psycopg.connect(owned.conninfo, user=role, password=password) as connection:
            (name,) = connection.execute("select current_user").fetchone() or ("nobody",)
    finally:
        change(owned, f"drop role {role}")

    assert name == role


def test_database_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")

    with pytest.raises(DatabaseLostError, match="Connection refused"):
        migrate(MigrateSettings())


def test_role_that_may_not_migrate_is_told_so_in_one_sentence(
    owned: MigratedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in owned.ingest_env.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(MigrationError, match=r"^This role may not migrate: permission denied"):
        migrate(MigrateSettings())


def test_two_at_once_take_turns(tmp_path: Path, owned: MigratedDatabase) -> None:
    """Both end well, and the file is applied once."""
    folder = migrations(tmp_path / "m", **{"9001_more": "create table more (id integer); select pg_sleep(0.3)"})
    program = (
        "import sys, pathlib; from ingest.migrate import migrate; from ingest.settings import MigrateSettings; "
        "print(migrate(MigrateSettings(), pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(folder)]

    started = [
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, **owned.env}, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = sorted(child.communicate(timeout=120)[0].strip() for child in started)

    assert printed == ["['9001_more.sql']", "[]"]


@contextmanager
def version_8(
    server: Database | GivenDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """A database as it was at schema version 8, which PG* names."""
    (folder / "views").mkdir(parents=True)
    for path in sorted(MIGRATIONS.glob("[0-9]*.sql"))[:8]:
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "views" / "bin_status.sql").write_text("create view bin_status as select ref, threshold from bins")
    with empty_database(server) as env:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        migrate(MigrateSettings(), folder)
        with psycopg.connect(conninfo(env)) as connection:
            connection.execute(VERSION_8)
        yield env


def test_what_a_database_of_version_8_holds_outlives_the_upgrade(
    tmp_path: Path, server: Database | GivenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bins keep their own rules, states and emptyings stay as they were, and every view answers."""
    with version_8(server, tmp_path / "old", monkeypatch) as env, psycopg.connect(conninfo(env)) as connection:
        connection.autocommit = True
        before = {table: connection.execute(query).fetchall() for table, query in KEPT.items()}

        assert migrate(MigrateSettings())[0] == "0009_rules.sql"

        assert {table: connection.execute(query).fetchall() for table, query in KEPT.items()} == before
        assert all(len(found) >= 2 for found in before.values())
        for view in sorted(MIGRATIONS.glob("views/*.sql")):
            connection.execute(sql.SQL("select * from {}").format(sql.Identifier(view.stem)))
        status = connection.execute(
            "select ref, threshold, max_age_days, reason, horizon_at, overflow_chance from bin_status order by ref"
        ).fetchall()
        # The third was never assessed.
        assert status == [
            ("b-1", pytest.approx(0.6), 3, "FULLNESS", None, None),
            ("b-2", pytest.approx(0.8), 7, "NOT_READY", None, None),
            ("b-3", pytest.approx(0.8), 7, "NOT_READY", None, None),
        ]


def test_after_the_upgrade_the_past_is_worked_out_from_the_readings(
    tmp_path: Path, server: Database | GivenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forecasts and use do not begin with the day of the upgrade."""
    with version_8(server, tmp_path / "old", monkeypatch) as env:
        migrate(MigrateSettings())
        run(once=True)

        with psycopg.connect(conninfo(env)) as connection:
            cycles = connection.execute(
                "select bin_id, count(*) from cycles group by bin_id order by bin_id"
            ).fetchall()
            days = connection.execute(
                "select bin_id, min(day) from usage_days group by bin_id order by bin_id"
            ).fetchall()
        # Each bin was emptied after every two days; the last time was not confirmed yet.
        assert cycles == [(1, 4), (2, 4)]
        assert days == [(1, date(2026, 3, 1)), (2, date(2026, 3, 1))]
