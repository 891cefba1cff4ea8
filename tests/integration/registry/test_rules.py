"""Rules, calendars and requests: what the council says, what then holds for each bin, and who said it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from ingest.assess.decisions.calendar import Calendar
from ingest.assess.decisions.due import Request
from ingest.assess.store.roster import load_roster
from tests.conftest import MigratedDatabase, conninfo
from tests.integration.registry.commands import failure, ingest, rows, save

NOW = datetime(2026, 3, 6, 15, tzinfo=UTC)  # a Friday, after the round
START = Calendar(ZoneInfo("Europe/London"))
BINS = (
    "ref,name,lat,lon,depot,stream,threshold,max_age_days\n"
    "OWN,A,55.95,-3.19,north,glass,0.5,2\n"
    "BOTH,B,55.95,-3.19,north,glass,,\n"
    "DEPOT,C,55.95,-3.19,north,general,,\n"
    "STREAM,D,55.95,-3.19,south,glass,,\n"
    "REST,E,55.95,-3.19,,,,\n"
)


@pytest.fixture
def town(database: MigratedDatabase, tmp_path: Path) -> MigratedDatabase:
    ingest(database, "bins", "import", save(tmp_path, "bins.csv", BINS))
    return database


def effective(database: MigratedDatabase) -> dict[object, list[object]]:
    found = rows(database, "select ref, threshold, max_age_days from bin_status order by id")
    with psycopg.connect(conninfo(database.ingest_env)) as connection:
        roster = load_roster(connection, START, NOW)
    assert [(one.rules.threshold, one.rules.max_age / timedelta(days=1)) for _, one in sorted(roster.items())] == [
        (threshold, pytest.approx(days)) for _, threshold, days in found
    ]
    return {ref: rest for ref, *rest in found}


def test_most_specific_rule_wins(town: MigratedDatabase) -> None:
    assert effective(town) == {
        "OWN": [0.5, 2],
        **{ref: [pytest.approx(0.8), 7] for ref in ("BOTH", "DEPOT", "STREAM", "REST")},
    }

    ingest(town, "rules", "set", "--threshold", "0.75", "--max-age-days", "10")
    ingest(town, "rules", "set", "--stream", "glass", "--threshold", "0.9")
    ingest(town, "rules", "set", "--depot", "north", "--threshold", "0.7", "--max-age-days", "5")
    ingest(town, "rules", "set", "--depot", "north", "--stream", "glass", "--max-age-days", "3")

    assert effective(town) == {
        "OWN": [0.5, 2],
        # The depot's threshold counts, because depot and stream together say only an age.
        "BOTH": [pytest.approx(0.7), 3],
        "DEPOT": [pytest.approx(0.7), 5],
        "STREAM": [pytest.approx(0.9), 10],
        "REST": [0.75, 10],
    }
    assert ingest(town, "rules", "list").splitlines() == [
        "depot\tstream\tthreshold\tmax_age_days",
        "north\tglass\t\t3.0",
        "north\t\t0.7\t5.0",
        "\tglass\t0.9\t",
        "\t\t0.75\t10.0",
    ]

    ingest(town, "rules", "unset", "--depot", "north", "--threshold")
    ingest(town, "rules", "unset", "--stream", "glass")
    ingest(town, "rules", "unset")

    assert effective(town)["BOTH"] == [pytest.approx(0.8), 3]
    assert effective(town)["DEPOT"] == [pytest.approx(0.8), 5]
    assert rows(
        town, "select action, subject, before, after from audit_log where action like 'rule.%' order by id"
    ) == [
        (
            "rule.set",
            "all bins",
            {"threshold": None, "max_age_days": None},
            {"threshold": 0.75, "max_age_days": 10.0},
        ),
        ("rule.set", "stream glass", {"threshold": None}, {"threshold": 0.9}),
        (
            "rule.set",
            "depot north",
            {"threshold": None, "max_age_days": None},
            {"threshold": 0.7, "max_age_days": 5.0},
        ),
        ("rule.set", "depot north, stream glass", {"max_age_days": None}, {"max_age_days": 3.0}),
        ("rule.unset", "depot north", {"threshold": 0.7}, {"threshold": None}),
        ("rule.unset", "stream glass", {"threshold": 0.9}, {"threshold": None}),
        (
            "rule.unset",
            "all bins",
            {"threshold": 0.75, "max_age_days": 10.0},
            {"threshold": None, "max_age_days": None},
        ),
    ]


def test_blank_cell_inherits_and_survives_the_round_trip(town: MigratedDatabase, tmp_path: Path) -> None:
    ingest(town, "bins", "export", str(tmp_path / "out.csv"))
    ingest(town, "bins", "export", str(tmp_path / "out.geojson"))
    for file in ("out.csv", "out.geojson"):
        assert ingest(town, "bins", "import", str(tmp_path / file)).startswith("0 added, 0 changed, 5 unchanged")

    ingest(town, "bins", "import", save(tmp_path, "own.csv", "ref,name,lat,lon,threshold\nOWN,A,55.95,-3.19,\n"))

    # A column that the file does not have stays.
    assert effective(town)["OWN"] == [pytest.approx(0.8), 2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rules", "set", "--depot", "east", "--threshold", "0.7"), "There is no depot east."),
        (("rules", "set", "--threshold", "80"), "--threshold 80 is not between 0.05 and 1."),
        (("rules", "set", "--stream", "coal", "--threshold", "0.7"), "--stream 'coal' is none of general"),
        (("rules", "set"), "Say what holds: --threshold, --max-age-days or both."),
        (("rules", "unset", "--stream", "glass"), "There is no such rule for stream glass."),
        (("calendar", "set", "--hours", "6-14"), "'6-14' are no hours such as 06:00-14:00."),
        (("calendar", "set", "--days", "fri-mon", "--hours", "06:00-14:00"), "'fri-mon' ends before it begins."),
        (("calendar", "set", "--days", "someday", "--closed"), "'someday' is no day such as mon"),
        (("calendar", "set"), "Say either --hours or --closed."),
        (("calendar", "set", "--closed"), "A calendar needs at least one weekday with a round."),
        (("calendar", "unset", "--depot", "north"), "There are no hours of north."),
        (("calendar", "close", "25.12.2026"), "'25.12.2026' is no day such as 2026-12-25."),
        (("calendar", "open", "2026-12-25"), "2026-12-25 is not closed for all depots."),
        (("bins", "request", "NONE"), "There is no bin NONE."),
        (("bins", "cancel", "OWN"), "Nobody asks for OWN, or it was emptied since."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    town: MigratedDatabase, arguments: tuple[str, ...], sentence: str
) -> None:
    assert failure(town, *arguments).startswith(sentence)
    assert rows(town, "select count(*) from audit_log where action not like '%.add'") == [(0,)]


def test_calendar_of_a_depot_decides_how_long_its_bins_wait(town: MigratedDatabase) -> None:
    ingest(town, "calendar", "set", "--days", "sat,sun", "--closed")
    ingest(town, "calendar", "set", "--depot", "south", "--days", "sat", "--hours", "07:00-12:00")
    ingest(town, "calendar", "close", "2026-03-10", "--depot", "south", "--note", "Lorry away")

    with psycopg.connect(conninfo(town.ingest_env)) as connection:
        horizons = {key: one.horizon for key, one in load_roster(connection, START, NOW).items()}

    ids = dict(rows(town, "select ref, id from bins"))
    # After Friday's round. What Monday's leaves out waits for Tuesday's, or, in the south, what Saturday's leaves out
    # for Monday's.
    assert horizons[ids["REST"]] == horizons[ids["DEPOT"]] == datetime(2026, 3, 10, 14, tzinfo=UTC)
    assert horizons[ids["STREAM"]] == datetime(2026, 3, 9, 14, tzinfo=UTC)
    shown = ingest(town, "calendar", "show", "--depot", "south").splitlines()
    assert shown[:8] == [
        *[f"{day}\t06:00-14:00" for day in ("monday", "tuesday", "wednesday", "thursday", "friday")],
        "saturday\t07:00-12:00",
        "sunday\tno round",
        "holiday\tno round",
    ]
    assert sum(line.startswith("round\t") for line in shown) == 7
    assert rows(town, "select subject, before, after from audit_log where action like 'calendar.%' order by id") == [
        (
            "all depots",
            {"saturday": "06:00-14:00", "sunday": "06:00-14:00"},
            {"saturday": "none", "sunday": "none"},
        ),
        ("south", {"saturday": "none"}, {"saturday": "07:00-12:00"}),
        ("south", None, {"day": "2026-03-10", "note": "Lorry away"}),
    ]

    ingest(town, "calendar", "open", "2026-03-10", "--depot", "south")
    ingest(town, "calendar", "unset", "--depot", "south")
    ingest(town, "calendar", "unset")

    assert rows(town, "select (select count(*) from service_hours), (select count(*) from service_closures)") == [
        (0, 0)
    ]


def test_request_is_open_until_the_bin_was_emptied_or_it_is_cancelled(town: MigratedDatabase) -> None:
    with psycopg.connect(conninfo(town.ingest_env)) as connection:
        [own] = [key for key, one in load_roster(connection, START, NOW).items() if one.rules.threshold == 0.5]

        def asked() -> Request | None:
            return load_roster(connection, START, NOW)[own].rules.request

        assert asked() is None
        said = ingest(town, "bins", "request", "OWN", "--note", "wasps")
        ingest(town, "bins", "request", "OWN", "--note", "many wasps")
        first = asked()
        assert first is not None
        assert first.note == "many wasps"
        assert said.startswith("OWN is asked for since ")

        ingest(town, "bins", "cancel", "OWN")
        assert asked() is None

        ingest(town, "bins", "request", "OWN")
        with psycopg.connect(town.conninfo) as owner:
            owner.execute(
                "insert into emptyings (bin_id, emptied_at, not_before, confidence, source)"
                " values (%s, now(), now(), 1, 'crew')",
                (own,),
            )
        assert failure(town, "bins", "cancel", "OWN").startswith("Nobody asks for OWN")
        ingest(town, "bins", "request", "OWN", "--note", "again")
        again = asked()
        assert again is not None
        assert again.requested_at > first.requested_at

    ingest(town, "bins", "remove", "OWN")
    assert rows(town, "select count(*) from bin_requests") == [(0,)]
    assert rows(town, "select action, before is null, after is null from audit_log where subject = 'OWN' order by id")[
        1:
    ] == [
        ("bin.request", True, False),
        ("bin.request", False, False),
        ("bin.cancel_request", False, True),
        ("bin.request", True, False),
        ("bin.request", True, False),
        ("bin.remove", False, False),
    ]
