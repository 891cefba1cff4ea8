"""The commands `bins`, `devices` and `certificates`: they parse, call the registry and print what it did."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.registry.bin_file import RefusedRow, read_bins
from ingest.registry.bins import export_bins, import_bins, list_bins
from ingest.registry.bundles import Broker
from ingest.registry.certificates import init_authority, load_authority, server_host
from ingest.registry.connection import actor, registry_transaction
from ingest.registry.devices import enrol, list_devices, retire
from ingest.registry.errors import RegistryError
from ingest.registry.fit_file import read_devices, read_fits
from ingest.registry.fittings import Fit, Refusal, fit
from ingest.registry.moments import read_moment
from ingest.registry.settings import RegistrySettings
from ingest.settings import load

bins_app = typer.Typer(no_args_is_help=True, help="Which bins stand where.")
devices_app = typer.Typer(no_args_is_help=True, help="Which sensors may publish, and the bin that each sits in.")
certificates_app = typer.Typer(no_args_is_help=True, help="Our own certificate authority.")

_Authority = Annotated[Path, typer.Option(envvar="BRIMWATCH_CERTIFICATES", help="Folder of `certificates init`.")]


@certificates_app.callback()
def certificates() -> None:
    """Our own certificate authority."""


@certificates_app.command("init")
def certificates_init(
    folder: Annotated[Path, typer.Option("--dir", envvar="BRIMWATCH_CERTIFICATES", help="Folder of the PEM files.")],
    hosts: Annotated[list[str], typer.Option("--host", help="DNS name or IP address of the broker; repeatable.")],
) -> None:
    """Make what is missing: the authority, the broker's certificate and the ingester's three."""
    written = init_authority(folder, hosts, datetime.now(UTC))
    typer.echo(f"{folder}: made {', '.join(written)}." if written else f"{folder}: everything is there already.")


@bins_app.command("import")
def bins_import(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
) -> None:
    """Add and change bins from a CSV file; rows that cannot be used are listed and harm no others."""
    settings = load(RegistrySettings)
    rows, refused = read_bins(file, settings.area, settings.time_zone)
    if rows:
        with registry_transaction() as connection:
            result = import_bins(connection, rows, actor=actor())
            if dry_run:
                connection.rollback()
        if result.new_depots:
            typer.echo(f"New depots: {', '.join(result.new_depots)}.")
        typer.echo(
            f"{'Nothing was changed. It would be ' if dry_run else ''}{result.added} added, {result.changed} changed,"
            f" {result.unchanged} unchanged, {len(refused)} refused."
        )
    _print_refused_rows(refused)
    if not rows:
        raise RegistryError(f"{file} has no bin that can be imported.")


@bins_app.command("export")
def bins_export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.csv]", help="Standard output when left out.")] = None,
) -> None:
    """Write all bins as CSV; `bins import` takes the file back."""
    with registry_transaction() as connection:
        text = export_bins(connection)
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise RegistryError(f"Cannot write {file}: {error.strerror}.") from error


@bins_app.command("list")
def bins_list() -> None:
    """Show the bins with their sensor and state, one a line, tab-separated."""
    with registry_transaction() as connection:
        _print_rows(list_bins(connection))


@devices_app.command("enrol")
def devices_enrol(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder that gets one folder a device.")],
    certificates: _Authority,
    refs: Annotated[list[str] | None, typer.Argument(metavar="REF...")] = None,
    file: Annotated[Path | None, typer.Option("--from", help="CSV with the column device.")] = None,
    mqtt_host: Annotated[
        str | None, typer.Option(envvar="BRIMWATCH_MQTT_HOST", help="Default: the broker certificate's first name.")
    ] = None,
    mqtt_port: Annotated[int, typer.Option(envvar="BRIMWATCH_MQTT_PORT", min=1, max=65535)] = 8883,
) -> None:
    """Let devices publish, and make the bundle that each one needs."""
    wanted = [*(refs or []), *(read_devices(file) if file else [])]
    if not wanted:
        raise RegistryError("Name at least one device, or a file of them with --from.")
    authority = load_authority(certificates)
    broker = Broker(mqtt_host or server_host(certificates), mqtt_port)
    with registry_transaction() as connection:
        result = enrol(
            connection, wanted, out=out, authority=authority, broker=broker, now=datetime.now(UTC), actor=actor()
        )
    typer.echo(f"{len(result.added)} enrolled, {len(result.renewed)} renewed, {len(result.unchanged)} unchanged.")


@devices_app.command("fit")
def devices_fit(
    *,
    device: Annotated[str | None, typer.Argument(metavar="DEVICE")] = None,
    bin_ref: Annotated[str | None, typer.Argument(metavar="BIN")] = None,
    empty_mm: Annotated[int | None, typer.Option(help="From the sensor's face to the bottom.")] = None,
    full_mm: Annotated[int, typer.Option(help="From the sensor's face to the waste of a full bin.")] = 150,
    at: Annotated[str | None, typer.Option(help="Since when, such as 2026-03-01T07:00; default: now.")] = None,
    file: Annotated[Path | None, typer.Option("--from", help="CSV: device,bin,empty_mm,full_mm,fitted_at.")] = None,
) -> None:
    """Put a device into a bin, or many from a file; a device that sits elsewhere leaves that bin."""
    zone = load(RegistrySettings).time_zone
    if file is not None:
        fits, refused = read_fits(file, zone)
    elif device is None or bin_ref is None or empty_mm is None:
        raise RegistryError("Say which DEVICE sits in which BIN, and --empty-mm; or name a file with --from.")
    else:
        fits, refused = [_one_fit(Fit(device, bin_ref, empty_mm, full_mm), at, zone)], []
    with registry_transaction() as connection:
        result = fit(connection, fits, now=datetime.now(UTC), actor=actor())
    refused = sorted([*refused, *result.refused], key=lambda refusal: refusal.line or 0)
    if file is None and refused:
        raise RegistryError(refused[0].reason)
    typer.echo(f"{result.fitted} fitted, {result.unchanged} unchanged, {len(refused)} refused.")
    _print_refusals(refused)
    if refused and not (result.fitted or result.unchanged):
        raise RegistryError(f"{file} has no fitting that can be used.")


@devices_app.command("retire")
def devices_retire(device: Annotated[str, typer.Argument(metavar="DEVICE")]) -> None:
    """Refuse whatever a device sends from now on, and take it out of its bin."""
    with registry_transaction() as connection:
        retire(connection, device, now=datetime.now(UTC), actor=actor())
    typer.echo(f"{device} is retired.")


@devices_app.command("list")
def devices_list() -> None:
    """Show the devices with their bin and last report, one a line, tab-separated."""
    with registry_transaction() as connection:
        _print_rows(list_devices(connection))


def _one_fit(wanted: Fit, at: str | None, zone: str) -> Fit:
    try:
        fitted_at = read_moment(at, zone) if at else None
    except ValueError as error:
        raise RegistryError(f"--at {error}.") from None
    return Fit(wanted.device, wanted.bin, wanted.empty_mm, wanted.full_mm, fitted_at)


def _print_refused_rows(refused: Iterable[RefusedRow]) -> None:
    for row in refused:
        typer.echo(f"Refused line {row.line} ({row.name or 'no name'}): {row.reason}.")


def _print_refusals(refused: Iterable[Refusal]) -> None:
    for refusal in refused:
        typer.echo(f"Refused line {refusal.line}: {refusal.reason}")


def _print_rows(rows: list[dict[str, object]]) -> None:
    if rows:
        typer.echo("\t".join(rows[0]))
    for row in rows:
        typer.echo("\t".join("" if value is None else str(value) for value in row.values()))
