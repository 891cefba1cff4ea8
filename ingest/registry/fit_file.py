"""Files for devices: which to enrol, and which sits in which bin."""

from pathlib import Path

from ingest.registry.errors import RegistryError
from ingest.registry.fittings import Fit, Refusal
from ingest.registry.moments import read_moment
from ingest.registry.tables import Row, read_table

_DEVICE = {"device": "device", "ref": "device", "device_ref": "device"}
_FIT = {**{name: name for name in ("device", "bin", "empty_mm", "full_mm", "fitted_at")}, "bin_ref": "bin"}


def read_devices(path: Path) -> list[str]:
    """Read the references in the column `device` (or `ref`) of a CSV file.

    Raises:
        RegistryError: the file or one of its rows cannot be used.
    """
    table = read_table(path, _DEVICE, ("device",))
    for row in table.rows:
        if row.fault:
            raise RegistryError(f"{path}, line {row.line}: {row.fault}.")
    return [row.cells["device"] for row in table.rows if row.cells["device"]]


def read_fits(path: Path, time_zone: str) -> tuple[list[Fit], list[Refusal]]:
    """Read a CSV file with the columns device, bin, empty_mm, full_mm and, where known, fitted_at.

    Args:
        path: the file.
        time_zone: of times without an offset.

    Raises:
        RegistryError: the file as a whole cannot be used.
    """
    table = read_table(path, _FIT, ("device", "bin", "empty_mm", "full_mm"))
    fits: list[Fit] = []
    refused: list[Refusal] = []
    for row in table.rows:
        try:
            fits.append(_fit(row, time_zone))
        except ValueError as error:
            refused.append(Refusal(row.line, f"{error}."))
    return fits, refused


def _fit(row: Row, time_zone: str) -> Fit:
    if row.fault:
        raise ValueError(row.fault)
    for name in ("device", "bin"):
        if not row.cells[name]:
            raise ValueError(f"it has no {name}")
    at = row.cells.get("fitted_at")
    return Fit(
        device=row.cells["device"],
        bin=row.cells["bin"],
        empty_mm=_millimetres("empty_mm", row.cells["empty_mm"]),
        full_mm=_millimetres("full_mm", row.cells["full_mm"]),
        fitted_at=read_moment(at, time_zone) if at else None,
        line=row.line,
    )


def _millimetres(name: str, cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise ValueError(f"{name} {cell!r} is not a whole number of millimetres") from None
