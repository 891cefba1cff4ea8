"""The commands `calibration`: they parse, call the registry and print what it did."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.registry.connection import actor, registry_transaction
from ingest.registry.errors import RegistryError
from ingest.registry.moments import read_moment
from ingest.registry.printing import print_rows
from ingest.registry.proposals import accept, dismiss, list_proposals
from ingest.registry.settings import RegistrySettings
from ingest.settings import load

calibration_app = typer.Typer(no_args_is_help=True, help="Calibrations that sensors' own readings propose.")

_Device = Annotated[str, typer.Argument(metavar="DEVICE")]


@calibration_app.command("list")
def calibration_list() -> None:
    """Show what is proposed, what is furthest off first, tab-separated."""
    with registry_transaction() as connection:
        print_rows(list_proposals(connection))


@calibration_app.command("accept")
def calibration_accept(
    device: _Device,
    at: Annotated[
        str | None, typer.Option(help="Only from then on, such as 2026-03-01T07:00; the past stays as it was.")
    ] = None,
) -> None:
    """Correct a device's distances as proposed, from the day it was fitted on; with --at, from then on."""
    try:
        moment = read_moment(at, load(RegistrySettings).time_zone) if at else None
    except ValueError as error:
        raise RegistryError(f"--at {error}.") from None
    with registry_transaction() as connection:
        now_so = accept(connection, device, at=moment, now=datetime.now(UTC), actor=actor())
    typer.echo(f"{device} in {now_so.bin}: empty at {now_so.empty_mm} mm, full at {now_so.full_mm} mm.")


@calibration_app.command("dismiss")
def calibration_dismiss(device: _Device) -> None:
    """Leave a device's distances as they are; the same is not proposed again."""
    with registry_transaction() as connection:
        distance_mm = dismiss(connection, device, actor=actor())
    typer.echo(f"{device} stays as it is; {distance_mm} mm is not proposed again.")
