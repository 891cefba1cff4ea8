"""The commands `bins`, `depots` and `areas`: they parse, call the registry and print what it did."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from psycopg import Connection

from ingest.registry.bin_file import RefusedRow, read_bins, row_word
from ingest.registry.bins import export_bins, export_features, import_bins, list_bins
from ingest.registry.connection import actor, registry_transaction
from ingest.registry.errors import RegistryError
from ingest.registry.features import is_geojson
from ingest.registry.groups import AREAS, DEPOTS, Kind, export_groups, import_groups, read_groups
from ingest.registry.printing import print_rows
from ingest.registry.removals import remove_bin
from ingest.registry.requests import cancel_request, request_emptying
from ingest.registry.settings import RegistrySettings
from ingest.settings import load

bins_app = typer.Typer(no_args_is_help=True, help="Which bins stand where.")
depots_app = typer.Typer(no_args_is_help=True, help="The yards that crews start from.")
areas_app = typer.Typer(no_args_is_help=True, help="Wards, districts or whatever else bins are counted by.")

_File = Annotated[Path, typer.Argument(metavar="FILE")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
_Out = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Standard output when left out.")]


@bins_app.command("import")
def bins_import(file: _File, dry_run: _DryRun = False) -> None:
    """Add and change bins from a CSV or GeoJSON file; rows that cannot be used are listed and harm no others."""
    settings = load(RegistrySettings)
    rows, refused = read_bins(file, settings.area, settings.time_zone)
    if rows:
        with registry_transaction() as connection:
            result = import_bins(connection, rows, actor=actor())
            if dry_run:
                connection.rollback()
        refused = sorted([*refused, *result.refused], key=lambda row: row.line)
        for noun, new in (("depots", result.new_depots), ("areas", result.new_areas)):
            if new:
                typer.echo(f"New {noun}: {', '.join(new)}.")
        _print_counts(result.added, result.changed, result.unchanged, len(refused), dry_run=dry_run)
    _print_refused(refused, row_word(file))
    if not rows:
        raise RegistryError(f"{file} has no bin that can be imported.")


@bins_app.command("export")
def bins_export(
    file: _Out = None,
    geojson: Annotated[bool, typer.Option("--geojson", help="Also where the file's name does not say so.")] = False,
) -> None:
    """Write all bins as CSV, or as GeoJSON to FILE.geojson; `bins import` takes either back."""
    _export(file, export_features if geojson or (file is not None and is_geojson(file)) else export_bins)


@bins_app.command("list")
def bins_list() -> None:
    """Show the bins with their sensor and state, one a line, tab-separated."""
    with registry_transaction() as connection:
        print_rows(list_bins(connection))


@bins_app.command("remove")
def bins_remove(ref: Annotated[str, typer.Argument(metavar="BIN")]) -> None:
    """Take a bin away, and its devices out of it; what they measured is kept. Importing it again puts it back."""
    with registry_transaction() as connection:
        devices = remove_bin(connection, ref, now=datetime.now(UTC), actor=actor())
    typer.echo(" ".join([f"{ref} is removed.", *(f"{device} left it." for device in devices)]))


@bins_app.command("request")
def bins_request(
    ref: Annotated[str, typer.Argument(metavar="BIN")],
    note: Annotated[str, typer.Option(help="Why; the list of due bins shows it.")] = "",
) -> None:
    """Have a bin emptied: it is due until somebody emptied it, or until `bins cancel`."""
    with registry_transaction() as connection:
        asked_at = request_emptying(connection, ref, note=note, now=datetime.now(UTC), actor=actor())
    local = asked_at.astimezone(ZoneInfo(load(RegistrySettings).time_zone))
    typer.echo(f"{ref} is asked for since {local:%Y-%m-%d %H:%M}; it is due until it was emptied.")


@bins_app.command("cancel")
def bins_cancel(ref: Annotated[str, typer.Argument(metavar="BIN")]) -> None:
    """Take back that a bin is asked for."""
    with registry_transaction() as connection:
        cancel_request(connection, ref, actor=actor())
    typer.echo(f"{ref} is not asked for any more.")


@depots_app.command("import")
def depots_import(file: _File, dry_run: _DryRun = False) -> None:
    """Add and change depots from a CSV file: ref, name and, where known, longitude and latitude."""
    _import_groups(file, DEPOTS, dry_run=dry_run)


@depots_app.command("export")
def depots_export(file: _Out = None) -> None:
    """Write all depots as CSV; `depots import` takes the file back."""
    _export(file, lambda connection: export_groups(connection, DEPOTS))


@areas_app.command("import")
def areas_import(file: _File, dry_run: _DryRun = False) -> None:
    """Add and change areas from a CSV file: ref and name."""
    _import_groups(file, AREAS, dry_run=dry_run)


@areas_app.command("export")
def areas_export(file: _Out = None) -> None:
    """Write all areas as CSV; `areas import` takes the file back."""
    _export(file, lambda connection: export_groups(connection, AREAS))


def _import_groups(file: Path, kind: Kind, *, dry_run: bool) -> None:
    rows, refused = read_groups(file, kind, load(RegistrySettings).area)
    if rows:
        with registry_transaction() as connection:
            result = import_groups(connection, kind, rows, actor=actor())
            if dry_run:
                connection.rollback()
        _print_counts(result.added, result.changed, result.unchanged, len(refused), dry_run=dry_run)
    _print_refused(refused, "line")
    if not rows:
        raise RegistryError(f"{file} has no {kind.noun} that can be imported.")


def _export(file: Path | None, write: Callable[[Connection], str]) -> None:
    with registry_transaction() as connection:
        text = write(connection)
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise RegistryError(f"Cannot write {file}: {error.strerror}.") from error


def _print_counts(added: int, changed: int, unchanged: int, refused: int, *, dry_run: bool) -> None:
    typer.echo(
        f"{'Nothing was changed. It would be ' if dry_run else ''}{added} added, {changed} changed,"
        f" {unchanged} unchanged, {refused} refused."
    )


def _print_refused(refused: Iterable[RefusedRow], word: str) -> None:
    for row in refused:
        typer.echo(f"Refused {word} {row.line} ({row.name or 'no name'}): {row.reason}.")
