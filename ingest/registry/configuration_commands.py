"""The commands `configuration`: they parse, call the registry and print what it did."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.configuration import SETTINGS
from ingest.registry.configurations import configure, list_configurations
from ingest.registry.connection import actor, registry_transaction
from ingest.registry.errors import RegistryError
from ingest.registry.printing import print_rows

configuration_app = typer.Typer(no_args_is_help=True, help="What sensors of ours are to be set to, over the air.")

_NAMES = ", ".join(f"{name} {setting.lowest}-{setting.highest}" for name, setting in SETTINGS.items())


@configuration_app.command("change", no_args_is_help=True)
def configuration_change(
    refs: Annotated[list[str], typer.Argument(metavar="DEVICE...")],
    wanted: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help=f"Repeatable. {_NAMES}.")
    ] = None,
    unwanted: Annotated[
        list[str] | None, typer.Option("--unset", metavar="NAME", help="As the device was provisioned; repeatable.")
    ] = None,
) -> None:
    """Have devices set to something else: each is told when it reports next, and does so from its next wake on."""
    changes = {**_read(wanted or ()), **dict.fromkeys(_known(name) for name in unwanted or ())}
    if not changes:
        raise RegistryError("Say what to change: --set NAME=NUMBER or --unset NAME.")
    with registry_transaction() as connection:
        result = configure(connection, refs, changes, now=datetime.now(UTC), actor=actor())
    typer.echo(f"{len(result.changed)} changed, {len(result.unchanged)} unchanged.")


@configuration_app.command("list")
def configuration_list(
    refs: Annotated[list[str] | None, typer.Argument(metavar="DEVICE...", help="Default: all that have one.")] = None,
) -> None:
    """Show what devices are to be set to and which version each reports, or why it refused it, tab-separated."""
    with registry_transaction() as connection:
        print_rows(list_configurations(connection, refs or None))


def _read(wanted: Sequence[str]) -> dict[str, int | None]:
    read: dict[str, int | None] = {}
    for text in wanted:
        name, _, number = text.partition("=")
        try:
            read[_known(name)] = int(number)
        except ValueError:
            raise RegistryError(f"--set {text}: say NAME=NUMBER, such as report_interval_s=3600.") from None
    return read


def _known(name: str) -> str:
    if name not in SETTINGS:
        raise RegistryError(f"There is no setting {name!r}; these are: {', '.join(SETTINGS)}.")
    return name
