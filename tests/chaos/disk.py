"""A small disk for a part of the database's data, to be filled: a tmpfs, which only root may mount."""

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from simulator.stack.database import Database

SPARE_MB = 48
BLOCK_BYTES = 4096


class NoMountsError(Exception):
    """Raised when nothing can be mounted here; its text says why."""


def why_no_mounts(folder: Path) -> str | None:
    """Say why nothing can be mounted; None when it can.

    Args:
        folder: in which it is tried.
    """
    probe = folder / "probe"
    probe.mkdir()
    try:
        _mount(probe, 1)
        _unmount(probe)
    except NoMountsError as error:
        return str(error)
    finally:
        probe.rmdir()
    return None


def move_to_small_disk(database: Database, name: str) -> None:
    """Put a folder of the database's data on a disk of its own, with `SPARE_MB` left; the server is restarted for it.

    Args:
        database: runs.
        name: of the folder below the data folder.

    Raises:
        NoMountsError: nothing can be mounted here; nothing was changed.
    """
    reason = why_no_mounts(database.folder)
    if reason:
        raise NoMountsError(reason)
    folder, apart = data_folder(database, name), database.folder / "apart"
    database.stop()
    folder.rename(apart)
    folder.mkdir()
    _mount(folder, SPARE_MB + sum(path.stat().st_size for path in apart.rglob("*")) // 2**20)
    _copy(apart, folder)
    shutil.rmtree(apart)
    database.start()


def move_back(database: Database, name: str) -> None:
    """Put the folder back where it was."""
    folder, apart = data_folder(database, name), database.folder / "apart"
    database.stop()
    _copy(folder, apart)
    _unmount(folder)
    folder.rmdir()
    apart.rename(folder)
    database.start()


def data_folder(database: Database, name: str) -> Path:
    """Give the path of a folder of the database's data."""
    return database.folder / "pgdata" / name


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no space on the disk of a folder until the end of the block."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(BLOCK_BYTES))
    try:
        yield
    finally:
        filler.unlink()


def _mount(folder: Path, size_mb: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoMountsError("there is no program 'mount' here") from None
    if done.returncode:
        raise NoMountsError(done.stderr.strip() or os.strerror(errno.EPERM))


def _unmount(folder: Path) -> None:
    # Lazily: whoever still looks into it does not keep it.
    subprocess.run(["umount", "--lazy", folder], check=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with its owner, its rights and all that is in it."""
    subprocess.run(["cp", "--archive", "--no-target-directory", source, target], check=True)
