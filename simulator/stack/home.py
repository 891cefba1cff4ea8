"""The folder in which one demo keeps its data, secrets and logs between two starts."""

import fcntl
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TextIO

from simulator.stack.errors import StackError

SECRET_NAMES = ("password", "ingest_password", "dashboard_password")


class Home:
    """Folders and secrets of one demo.

    Args:
        folder: made if absent; readable for the servers' user, while what is secret is not.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: TextIO | None = None

    @property
    def certificates(self) -> Path:
        """The authority, the broker's certificate and the ingester's."""
        return self.folder / "certificates"

    @property
    def bundles(self) -> Path:
        """One folder per device: what it needs to prove itself."""
        return self.folder / "bundles"

    @property
    def town(self) -> Path:
        """The registry's tables and the basemap."""
        return self.folder / "town"

    @property
    def boards(self) -> Path:
        """The flash of the devices that run the real firmware."""
        return self.folder / "boards"

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.folder / "logs"

    @property
    def memory(self) -> Path:
        """What the fleet knows from the last time."""
        return self.folder / "fleet.json"

    def open(self) -> None:
        """Make the folder and take it for this process alone.

        Raises:
            StackError: it cannot be made, or another demo runs in it.
        """
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("a+")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise StackError(
                f"A demo of this size runs already (its data is in {self.folder}): stop it first."
            ) from None
        except OSError as error:
            raise StackError(f"Cannot use the folder {self.folder}: {error.strerror}.") from None
        self.logs.mkdir(exist_ok=True)
        for log in self.logs.iterdir():
            log.unlink()

    def close(self) -> None:
        """Let others use it."""
        if self._lock:
            self._lock.close()

    def clear(self) -> None:
        """Throw away everything that a first start makes."""
        for entry in self.folder.iterdir():
            if entry.is_dir() and entry != self.logs:
                shutil.rmtree(entry)
            elif entry.is_file() and entry.name != "lock":
                entry.unlink()

    def notes(self) -> dict[str, str]:
        """Give what was noted, with a password for whoever needs one."""
        notes: dict[str, str] = json.loads(self._notes.read_text()) if self._notes.exists() else {}
        missing = [name for name in SECRET_NAMES if name not in notes]
        if missing:
            self.note(**{name: secrets.token_urlsafe(15) for name in missing})
            return self.notes()
        return notes

    def note(self, **values: str) -> None:
        """Note something for the next start, where only we can read it."""
        notes = json.loads(self._notes.read_text()) if self._notes.exists() else {}
        write_secret(self._notes, json.dumps(notes | values))

    @property
    def _notes(self) -> Path:
        return self.folder / "notes.json"


def write_secret(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
