"""Where the local stack takes its programs from, and where it puts them."""

import re
from pathlib import Path

import pytest

from simulator.stack.broker import render
from simulator.stack.errors import StackError
from simulator.stack.given import GivenDatabase
from simulator.stack.mirror import Mirror, find_mirror, read_mirrors
from simulator.stack.native import find_programs, wanted_prefix
from simulator.stack.place import Place, checkout_folder, find_place, remove_abandoned
from simulator.stack.prefix import Prefix

DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def apt_folder(folder: Path, **files: str) -> Path:
    """Make an apt folder from `list`, `extra_list` and `sources` texts."""
    (folder / "sources.list.d").mkdir()
    places = {"list": "sources.list", "extra_list": "sources.list.d/a.list", "sources": "sources.list.d/a.sources"}
    for name, text in files.items():
        (folder / places[name]).write_text(text)
    return folder


def test_mirror_is_read_from_deb822_sources(tmp_path: Path) -> None:
    mirror = find_mirror(apt_folder(tmp_path, sources=DEB822))

    assert mirror == Mirror(
        "http://mirror.example/debian",
        ("bookworm", "bookworm-updates"),
        ("main",),
        "/usr/share/keyrings/debian-archive-keyring.gpg",
    )
    assert mirror.source_line("trixie") == (
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian trixie main\n"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # the plain form
        ("deb http://m.example/debian bookworm main contrib", ("http://m.example/debian", None)),
        # with options, a keyring among them
        (
            "deb [arch=amd64 signed-by=/k/a.gpg] https://m.example/debian/ bookworm main",
            ("https://m.example/debian/", "/k/a.gpg"),
        ),
        # a comment behind it, spaces before it
        ("  deb http://m.example/debian trixie main # ours", ("http://m.example/debian", None)),
    ],
)
def test_mirror_is_read_from_one_line_sources(tmp_path: Path, line: str, expected: tuple[str, str | None]) -> None:
    mirror = find_mirror(apt_folder(tmp_path, list=f"# deb http://off.example/debian bookworm main\n{line}\n"))

    assert (mirror.address, mirror.signed_by) == expected


@pytest.mark.parametrize(
    "sources",
    [
        "deb cdrom:[Debian]/ bookworm main\n",
        "deb-src http://m.example/debian bookworm main\n",
        "deb http://m.example/debian-security bookworm-security main\n",
        "deb http://vendor.example/apt stable vendor\n",
        "",
    ],
)
def test_mirror_that_cannot_carry_debian_is_not_taken(tmp_path: Path, sources: str) -> None:
    folder = apt_folder(tmp_path, extra_list=sources)

    with pytest.raises(StackError, match="No Debian mirror found"):
        find_mirror(folder)


def test_mirror_switched_off_or_with_its_key_written_out_is_understood(tmp_path: Path) -> None:
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
    stanza = "Types: deb deb-src\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\n"
    folder = apt_folder(tmp_path, sources=f"{stanza}Enabled: no\n\n{stanza}{key}")

    assert list(read_mirrors(folder)) == [Mirror("http://m.example/debian", ("trixie",), ("main",), None)]


def test_no_mirror_stands_in_the_stack() -> None:
    sources = [*(checkout_folder() / "simulator/stack").glob("*.py"), checkout_folder() / "Makefile"]

    named = [path.name for path in sources if re.search(r"https?://[\w-]*[a-z][\w-]*\.", path.read_text())]

    assert named == []


def test_given_server_is_never_replaced_by_one_of_our_own(tmp_path: Path) -> None:
    place = Place(tmp_path, None)

    wanted = [wanted_prefix(place, environ).packages for environ in ({"PGHOST": "db"}, {"DATABASE_URL": "x"})]

    assert not any("postgresql" in package for packages in wanted for package in packages)


def test_programs_that_are_not_set_up_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="`make demo` and `make test` do that"):
        find_programs(Place(tmp_path, None), {})


@pytest.mark.parametrize(
    ("stamp", "ready"),
    [
        ("1 trixie {folder}\na\nb", True),
        # more than is wanted does no harm
        ("1 trixie {folder}\na\nb\nc", True),
        ("1 trixie {folder}\na", False),
        # an older recipe, or a checkout that was moved
        ("0 trixie {folder}\na\nb", False),
        ("1 trixie /elsewhere/prefix\na\nb", False),
        # cut off while it was written
        ("", False),
    ],
)
def test_prefix_is_ready_only_when_it_was_finished_here(tmp_path: Path, stamp: str, ready: bool) -> None:
    prefix = Prefix(tmp_path, ("a", "b"))
    prefix.folder.mkdir()
    (prefix.folder / "stamp").write_text(stamp.format(folder=prefix.folder))

    assert prefix.ready is ready


def test_place_of_an_ordinary_checkout_lies_in_it(tmp_path: Path) -> None:
    # Every folder of pytest's is closed to others: as root this is the clone that the servers' user cannot enter.
    checkout = tmp_path / "checkout"
    checkout.mkdir()

    place = find_place(checkout)

    inside = place.root == checkout / ".local"
    assert inside is (place.account is None)
    assert inside or (place.root / "checkout").read_text() == f"{checkout}\n"
    checkout.joinpath(".local").rmdir()
    checkout.rmdir()
    find_place()
    assert not place.root.exists()


def test_abandoned_places_are_removed_and_others_kept(tmp_path: Path) -> None:
    for name, checkout in {"gone": tmp_path / "nowhere", "used": tmp_path, "closed": tmp_path / "nowhere"}.items():
        folder = tmp_path / f"brimwatch-{name}"
        folder.mkdir(mode=0o755)
        (folder / "checkout").write_text(f"{checkout}\n")
    (tmp_path / "brimwatch-closed").chmod(0o777)  # somebody else may have written in it: not ours to judge
    (tmp_path / "brimwatch-unnamed").mkdir()

    remove_abandoned(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "brimwatch-closed",
        "brimwatch-unnamed",
        "brimwatch-used",
    ]


def test_scratch_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    place = Place(tmp_path, None)
    mine = place.scratch("mine")
    (tmp_path / "scratch/killed-999999999-abcd").mkdir()

    other = place.scratch("other")

    assert sorted((tmp_path / "scratch").iterdir()) == sorted([mine, other])


def test_database_url_becomes_libpqs_variables() -> None:
    given = GivenDatabase({"DATABASE_URL": "postgresql://anna:secret@db.example:5433/bins?sslmode=require"})

    assert given.env() == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "anna",
        "PGPASSWORD": "secret",
        "PGDATABASE": "bins",
        "PGSSLMODE": "require",
    }


def test_database_url_that_cannot_be_read_says_so() -> None:
    with pytest.raises(StackError, match=r"^DATABASE_URL cannot be read"):
        GivenDatabase({"DATABASE_URL": "not a url"})


def test_broker_configuration_changes_only_what_is_named() -> None:
    text = (checkout_folder() / "deploy/mosquitto/mosquitto.conf").read_text()

    rendered = render(text, {"listener": "1999 127.0.0.1", "keyfile": "/a b/k\\ey"})

    changed = [new for old, new in zip(text.splitlines(), rendered.splitlines(), strict=True) if old != new]
    assert changed == ["listener 1999 127.0.0.1", "keyfile /a b/k\\ey"]


def test_broker_option_that_is_missing_is_told() -> None:
    with pytest.raises(StackError, match="sets 'keyfile' 0 times"):
        render("listener 8883\n", {"keyfile": "/k"})
