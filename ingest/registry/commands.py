"""The commands `devices` and `certificates`: they parse, call the registry and print what it did."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.registry.bundles import Broker
from ingest.registry.certificates import init_authority, load_authority, server_host
from ingest.registry.connection import actor, registry_transaction
from ingest.registry.devices import Enrolment, enrol, enrol_lorawan, list_devices, retire
from ingest.registry.errors import RegistryError
from ingest.registry.fit_file import read_devices, read_fits
from ingest.registry.fittings import Fit, Refusal, fit, running_fit
from ingest.registry.moments import read_moment
from ingest.registry.printing import print_rows
from ingest.registry.removals import unfit
from ingest.registry.settings import RegistrySettings
from ingest.settings import load

devices_app = typer.Typer(no_args_is_help=True, help="Which sensors may publish, and the bin that each sits in.")
certificates_app = typer.Typer(no_args_is_help=True, help="Our own certificate authority.")


@certificates_app.callback()
def certificates() -> None:
    """Our own certificate authority."""


@certificates_app.command("init")
def certificates_init(
    folder: Annotated[Path, typer.Option("--dir", envvar="BRIMWATCH_CERTIFICATES", help="Folder of the PEM files.")],
    hosts: Annotated[list[str], typer.Option("--host", help="DNS name or IP address of the broker; repeatable.")],
) -> None:
    """Make what is missing: the authority, and the certificates of broker, ingester and LoRaWAN network servers."""
    written = init_authority(folder, hosts, datetime.now(UTC))
    typer.echo(f"{folder}: made {', '.join(written)}." if written else f"{folder}: everything is there already.")


@devices_app.command("enrol")
def devices_enrol(
    *,
    refs: Annotated[list[str] | None, typer.Argument(metavar="REF...")] = None,
    model: Annotated[
        str | None, typer.Option(help="Of a LoRaWAN sensor, whose REF is its DevEUI; it needs no bundle.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder that gets one folder a device.")] = None,
    certificates: Annotated[
        Path | None, typer.Option(envvar="BRIMWATCH_CERTIFICATES", help="Folder of `certificates init`.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--from", help="CSV with the column device.")] = None,
    mqtt_host: Annotated[
        str | None, typer.Option(envvar="BRIMWATCH_MQTT_HOST", help="Default: the broker certificate's first name.")
    ] = None,
    mqtt_port: Annotated[int, typer.Option(envvar="BRIMWATCH_MQTT_PORT", min=1, max=65535)] = 8883,
) -> None:
    """Let devices publish, and make the bundle that each one needs; with --model, let LoRaWAN devices be heard."""
    wanted = [*(refs or []), *(read_devices(file) if file else [])]
    if not wanted:
        raise RegistryError("Name at least one device, or a file of them with --from.")
    if model is not None:
        with registry_transaction() as connection:
            _print_enrolment(enrol_lorawan(connection, wanted, model=model, actor=actor()))
        return
    if out is None or certificates is None:
        raise RegistryError("Say with --out where the bundles go and with --certificates where the authority is.")
    authority = load_authority(certificates)
    broker = Broker(mqtt_host or server_host(certificates), mqtt_port)
    with registry_transaction() as connection:
        result = enrol(
            connection, wanted, out=out, authority=authority, broker=broker, now=datetime.now(UTC), actor=actor()
        )
    _print_enrolment(result)


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
        fits, refused = [Fit(device, bin_ref, empty_mm, full_mm, _moment(at, zone))], []
    with registry_transaction() as connection:
        result = fit(connection, fits, now=datetime.now(UTC), actor=actor())
    refused = sorted([*refused, *result.refused], key=lambda refusal: refusal.line or 0)
    if file is None and refused:
        raise RegistryError(refused[0].reason)
    typer.echo(f"{result.fitted} fitted, {result.unchanged} unchanged, {len(refused)} refused.")
    _print_refusals(refused)
    if refused and not (result.fitted or result.unchanged):
        raise RegistryError(f"{file} has no fitting that can be used.")


@devices_app.command("calibrate")
def devices_calibrate(
    device: Annotated[str, typer.Argument(metavar="DEVICE")],
    empty_mm: Annotated[int | None, typer.Option(help="From the sensor's face to the bottom.")] = None,
    full_mm: Annotated[int | None, typer.Option(help="From the sensor's face to the waste of a full bin.")] = None,
) -> None:
    """Correct the distances that a device was fitted with, from the day it was fitted on.

    Where the bin or the sensor's place in it changed, use `devices fit` with --at instead: the past stays as it was.
    """
    if empty_mm is None and full_mm is None:
        raise RegistryError("Say what to correct: --empty-mm, --full-mm or both.")
    with registry_transaction() as connection:
        wanted = running_fit(connection, device, empty_mm=empty_mm, full_mm=full_mm)
        result = fit(connection, [wanted], now=datetime.now(UTC), actor=actor())
    if result.refused:
        raise RegistryError(result.refused[0].reason)
    typer.echo(f"{device} in {wanted.bin}: empty at {wanted.empty_mm} mm, full at {wanted.full_mm} mm.")


@devices_app.command("unfit")
def devices_unfit(
    device: Annotated[str, typer.Argument(metavar="DEVICE")],
    at: Annotated[str | None, typer.Option(help="Since when, such as 2026-03-01T07:00; default: now.")] = None,
) -> None:
    """Take a device out of its bin; it stays enrolled, and what it sends meanwhile is kept."""
    moment = _moment(at, load(RegistrySettings).time_zone)
    with registry_transaction() as connection:
        bin_ref = unfit(connection, device, at=moment, now=datetime.now(UTC), actor=actor())
    typer.echo(f"{device} left {bin_ref}.")


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
        print_rows(list_devices(connection))


def _print_enrolment(result: Enrolment) -> None:
    typer.echo(f"{len(result.added)} enrolled, {len(result.renewed)} renewed, {len(result.unchanged)} unchanged.")


def _moment(at: str | None, zone: str) -> datetime | None:
    try:
        return read_moment(at, zone) if at else None
    except ValueError as error:
        raise RegistryError(f"--at {error}.") from None


def _print_refusals(refused: Iterable[Refusal]) -> None:
    for refusal in refused:
        typer.echo(f"Refused line {refusal.line}: {refusal.reason}")
