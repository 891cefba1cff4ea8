"""Where the local stack keeps its programs and data, and the system user its servers run as.

Standard library only: it runs before the virtual environment exists.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from simulator.stack.errors import StackError

CHECKOUT_NOTE = "checkout"
"""A place outside its checkout says in this file whose it is."""

OUTSIDE = Path("/var/tmp")  # noqa: S108 - survives a reboot; ownership is checked before anything in it is trusted
SERVER_USER = "nobody"
"""Exists on every Debian; used only when we are root, which PostgreSQL refuses to run as."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that servers run as when we are root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that the servers' user can reach.

    Attributes:
        root: holds `prefix/` (programs) and `data/`.
        account: whom the servers run as; None when they run as ourselves.
    """

    root: Path
    account: Account | None

    def scratch(self, name: str) -> Path:
        """Make a new, empty folder for one run's servers and give its path.

        The caller removes it; what a killed run left is removed here.
        """
        parent = self.root / "scratch"
        _make_folder(parent)
        for left in parent.glob("*-*-*"):
            pid = left.name.split("-")[-2]
            if not Path("/proc", pid).exists():
                shutil.rmtree(left, ignore_errors=True)
        folder = parent / f"{name}-{os.getpid()}-{os.urandom(4).hex()}"
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        return folder


def checkout_folder() -> Path:
    """Give the folder of this checkout."""
    return Path(__file__).resolve().parents[2]


def find_place(checkout: Path | None = None) -> Place:
    """Find or make the place of a checkout, and remove places whose checkout is gone.

    Returns:
        `.local/` of the checkout when the servers' user can pass into it, else a folder under `/var/tmp`.

    Raises:
        StackError: no usable folder or user.
    """
    checkout = checkout or checkout_folder()
    remove_abandoned()
    local = checkout / ".local"
    _make_folder(local)
    account = server_account()
    if account is None or can_pass(account, local):
        return Place(local, account)
    return Place(_outside_folder(checkout), account)


def server_account() -> Account | None:
    """Say whom servers must run as: None when we are an ordinary user."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise StackError(
            f"PostgreSQL refuses to run as root and this machine has no user '{SERVER_USER}'; run as an ordinary user."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def as_account(account: Account | None, *, death_signal: str | None = None) -> list[str]:
    """Give the command words that drop to an account.

    Args:
        account: None keeps our own.
        death_signal: sent to the child by the kernel when we die, for example `TERM`.
    """
    words: list[str] = []
    if account:
        words += [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    if death_signal:
        words.append(f"--pdeathsig={death_signal}")
    if not words or not shutil.which("setpriv"):
        if account:
            raise StackError(
                "The program 'setpriv' (package util-linux) is missing; without it run as an ordinary user."
            )
        return []
    return ["setpriv", *words, "--"]


def can_pass(account: Account, folder: Path) -> bool:
    """Say whether an account can enter a folder, all folders above it included."""
    done = subprocess.run([*as_account(account), "test", "-x", str(folder)], cwd="/", check=False)
    return done.returncode == 0


def give(account: Account | None, path: Path) -> None:
    """Make the servers' user the owner of a file or folder we made."""
    if account:
        os.chown(path, account.uid, account.gid)


def remove_place(checkout: Path | None = None) -> None:
    """Remove a checkout's place outside of it, if there is one."""
    folder = _outside_path(checkout or checkout_folder())
    if _is_ours(folder):
        shutil.rmtree(folder)


def remove_abandoned(parent: Path = OUTSIDE) -> None:
    """Remove our places whose checkout no longer exists."""
    for folder in parent.glob("brimwatch-*"):
        # Without a note it is not finished, or somebody else is just removing it.
        with contextlib.suppress(FileNotFoundError):
            if _is_ours(folder) and not Path((folder / CHECKOUT_NOTE).read_text().strip()).exists():
                shutil.rmtree(folder, ignore_errors=True)


def _outside_path(checkout: Path) -> Path:
    return OUTSIDE / f"brimwatch-{hashlib.sha256(str(checkout).encode()).hexdigest()[:16]}"


def _outside_folder(checkout: Path) -> Path:
    folder = _outside_path(checkout)
    _make_folder(folder)
    if not _is_ours(folder):
        raise StackError(f"{folder} belongs to somebody else or is open to others; remove it and start again.")
    (folder / CHECKOUT_NOTE).write_text(f"{checkout}\n")
    return folder


def _is_ours(folder: Path) -> bool:
    # Anybody may make a folder in a shared place: programs are only run from one that nobody else can write to.
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not others_write


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir()
        folder.chmod(0o755)
    except FileExistsError:
        return
    except OSError as error:
        raise StackError(f"Cannot make the folder {folder}: {error.strerror}.") from None
