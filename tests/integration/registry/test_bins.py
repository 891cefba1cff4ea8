"""Bins, depots and areas: what goes in comes out again, and whoever changed it is known."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.registry.bin_file import read_bins
from ingest.registry.bins import export_bins, export_features, import_bins
from ingest.registry.settings import UNITED_KINGDOM
from tests.conftest import MigratedDatabase, conninfo
from tests.integration.registry.commands import failure, ingest, rows, save

FULL = (
    "ref,name,depot,area,eastings,northings,position_source,position_licence,uprn,usrn,open_data\r\n"
    "B1,Princes Street,north,ward-11,325400.25,673900,survey 2026,OGL v3,906423001,1234567,yes\r\n"
    "B2,Leith Walk,north,ward-12,326000,674500.5,,,,,no\r\n"
)

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30).map(lambda t: " ".join(t.split()))
references = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
moments = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
bins = st.fixed_dictionaries(
    {
        "ref": references,
        "name": words.filter(bool),
        "longitude": st.floats(UNITED_KINGDOM.west, UNITED_KINGDOM.east),
        "latitude": st.floats(UNITED_KINGDOM.south, UNITED_KINGDOM.north),
        "position_licence": words.filter(bool),
    },
    optional={
        "location": words,
        "depot": references,
        "area": references,
        "stream": st.sampled_from(["general", "glass", "organic"]),
        "model": words,
        "capacity_l": st.floats(1, 20_000),
        "position_source": words,
        "threshold": st.floats(0.05, 1),
        "max_age_days": st.floats(0.1, 366),
        "service_time_s": st.integers(0, 7200),
        "out_of_service_until": moments.map(datetime.isoformat),
        "uprn": st.integers(1, 999_999_999_999),
        "usrn": st.integers(1, 99_999_999),
        "open_data": st.booleans(),
    },
)


def collection(features: list[dict[str, Any]]) -> str:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": [one["longitude"], one["latitude"]]},
                    "properties": one,
                }
                for one in features
            ],
        }
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(bins, min_size=1, max_size=8, unique_by=lambda one: one["ref"]))
def test_round_trips_change_nothing(database: MigratedDatabase, wanted: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name, psycopg.connect(conninfo(database.ingest_env)) as connection:
        files = [Path(name) / file for file in ("given.geojson", "export.csv", "export.geojson")]
        files[0].write_text(collection(wanted), encoding="utf-8")
        good, refused = read_bins(files[0], UNITED_KINGDOM, "Europe/London")
        first = import_bins(connection, good, actor="test")
        texts = [export_bins(connection), export_features(connection)]
        assert (first.added, refused, first.refused) == (len(wanted), [], ())

        for file, text in zip(files[1:], texts, strict=True):
            file.write_text(text, encoding="utf-8", newline="")
            back, refused = read_bins(file, UNITED_KINGDOM, "Europe/London")
            again = import_bins(connection, back, actor="test")
            assert (again.unchanged, refused) == (len(wanted), [])

        # Into an empty registry, from either file: the same bins, and the same files again.
        for file in files[1:]:
            connection.rollback()
            import_bins(connection, read_bins(file, UNITED_KINGDOM, "Europe/London")[0], actor="test")
            assert [export_bins(connection), export_features(connection)] == texts
        connection.rollback()


def test_positions_in_metres_come_back_in_metres(database: MigratedDatabase, tmp_path: Path) -> None:
    said = ingest(database, "bins", "import", save(tmp_path, "bins.csv", FULL))

    exported = ingest(database, "bins", "export").splitlines()

    assert said.splitlines() == [
        "New depots: north.",
        "New areas: ward-11, ward-12.",
        "2 added, 0 changed, 0 unchanged, 0 refused.",
    ]
    assert exported[1].endswith(",survey 2026,OGL v3,,,120,,ward-11,906423001,1234567,yes,325400.25,673900.0")
    assert exported[2].endswith(",ward-12,,,no,326000.0,674500.5")
    assert ingest(database, "bins", "import", save(tmp_path, "bins.csv", FULL)).startswith("0 added, 0 changed, 2 unc")


def test_geojson_goes_out_and_in(database: MigratedDatabase, tmp_path: Path) -> None:
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", FULL))
    file = tmp_path / "bins.geojson"

    ingest(database, "bins", "export", str(file))

    first = json.loads(file.read_text(encoding="utf-8"))["features"][0]
    assert (first["id"], first["geometry"]["type"]) == ("B1", "Point")
    assert (first["properties"]["uprn"], first["properties"]["open_data"]) == (906423001, True)
    assert ingest(database, "bins", "export", "--geojson") == file.read_text(encoding="utf-8")
    assert ingest(database, "bins", "import", str(file)) == "0 added, 0 changed, 2 unchanged, 0 refused.\n"


def test_refused_features_are_listed_by_their_place(database: MigratedDatabase, tmp_path: Path) -> None:
    good = {"name": "A", "longitude": -3.19, "latitude": 55.95}
    text = collection([good, {**good, "name": "B", "stream": "lava"}])

    said = ingest(database, "bins", "import", save(tmp_path, "bins.geojson", text)).splitlines()

    assert said[0] == "1 added, 0 changed, 0 unchanged, 1 refused."
    assert said[1].startswith("Refused feature 2 (B): stream 'lava' is none of general")


def test_open_data_needs_a_licence(database: MigratedDatabase, tmp_path: Path) -> None:
    text = "ref,name,lat,lon,open_data\nB1,A,55.95,-3.19,yes\nB2,B,55.95,-3.19,no\n"

    said = ingest(database, "bins", "import", save(tmp_path, "bins.csv", text)).splitlines()

    assert said[0] == "1 added, 0 changed, 0 unchanged, 1 refused."
    assert said[1].startswith("Refused line 2 (A): open_data is yes, and no position_licence says")


def test_audit_log_holds_what_changed_and_no_more(database: MigratedDatabase, tmp_path: Path) -> None:
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", FULL))

    ingest(database, "bins", "import", save(tmp_path, "bins.csv", FULL.replace("ward-11", "ward-12")))

    query = "select subject, before, after, actor like 'command line: %' from audit_log where action = 'bin.change'"
    assert rows(database, query) == [("B1", {"area": "ward-11"}, {"area": "ward-12"}, True)]


def test_removed_bin_keeps_its_past_and_may_come_back(
    database: MigratedDatabase, authority: Path, tmp_path: Path
) -> None:
    file = save(tmp_path, "bins.csv", FULL)
    ingest(database, "bins", "import", file)
    ingest(database, "devices", "enrol", "D1", "--out", str(tmp_path / "out"), "--certificates", str(authority))
    ingest(database, "devices", "fit", "D1", "B1", "--empty-mm", "1200")

    said = ingest(database, "bins", "remove", "B1")

    assert said == "B1 is removed. D1 left it.\n"
    assert rows(database, "select ref from bin_status") == [("B2",)]
    assert rows(database, "select count(*) from fittings where removed_at is not null") == [(1,)]
    assert rows(database, "select count(*) from assess_queue") == [(1,)]
    assert failure(database, "bins", "remove", "B1") == "There is no bin B1."
    assert ingest(database, "bins", "import", file) == "0 added, 1 changed, 1 unchanged, 0 refused.\n"
    assert rows(database, "select ref from bin_status order by ref") == [("B1",), ("B2",)]
    [(before, after)] = rows(database, "select before, after from audit_log where action = 'bin.change'")
    assert isinstance(before, dict)
    assert list(before) == ["removed_at"]
    assert after == {"removed_at": None}


@pytest.mark.parametrize(
    ("command", "texts", "exported"),
    [
        (
            "areas",
            ("ref,name\nward-11,City Centre\nward 12,x\nward-11,Twice\n", "ref,name\nward-11,Centre\n"),
            "ref,name\r\nward-11,Centre\r\n",
        ),
        (
            "depots",
            (
                "ref,name,longitude,latitude\nnorth,Seafield,-3.15,55.97\neast,East,-3.1,\nwest,,,\n",
                "ref,name\nnorth,Centre\n",
            ),
            "ref,name,longitude,latitude\r\nnorth,Centre,-3.15,55.97\r\n",
        ),
    ],
)
def test_groups_go_in_and_out(
    database: MigratedDatabase, tmp_path: Path, command: str, texts: tuple[str, str], exported: str
) -> None:
    said = ingest(database, command, "import", save(tmp_path, "groups.csv", texts[0])).splitlines()
    changed = ingest(database, command, "import", save(tmp_path, "groups.csv", texts[1]))
    ingest(database, command, "export", str(tmp_path / "export.csv"))

    assert said[0] == "1 added, 0 changed, 0 unchanged, 2 refused."
    assert [line.split(" (")[0] for line in said[1:]] == ["Refused line 3", "Refused line 4"]
    assert changed == "0 added, 1 changed, 0 unchanged, 0 refused.\n"
    assert (tmp_path / "export.csv").read_bytes().decode() == exported
    assert ingest(database, command, "import", str(tmp_path / "export.csv")).startswith("0 added, 0 changed, 1 unch")
    query = "select before -> 'name', after from audit_log where action like '%%.change'"
    assert [after for _, after in rows(database, query)] == [{"name": "Centre"}]


def test_groups_dry_run_changes_nothing(database: MigratedDatabase, tmp_path: Path) -> None:
    said = ingest(database, "areas", "import", save(tmp_path, "a.csv", "ref,name\nw,Ward\n"), "--dry-run")

    assert said == "Nothing was changed. It would be 1 added, 0 changed, 0 unchanged, 0 refused.\n"
    assert rows(database, "select count(*) from areas") == [(0,)]


def test_groups_with_nothing_usable_fail(database: MigratedDatabase, tmp_path: Path) -> None:
    file = save(tmp_path, "areas.csv", "ref,name\n")

    assert failure(database, "areas", "import", file) == f"{file} has no area that can be imported."
