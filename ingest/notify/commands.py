"""The commands `notify` and `alerts`: they parse, call, and print what was done."""

from typing import Annotated

import typer

from ingest.errors import IngestError
from ingest.notify.acknowledge import acknowledge
from ingest.notify.listing import list_alerts, list_failures
from ingest.registry.connection import actor, registry_transaction
from ingest.registry.printing import print_rows
from ingest.settings import load

notify_app = typer.Typer(help="Tell people of alerts, for as long as it runs.")
alerts_app = typer.Typer(no_args_is_help=True, help="What is wrong at the bins.")


@notify_app.callback(invoke_without_command=True)
def notify(context: typer.Context) -> None:
    """Tell people of alerts, for as long as it runs."""
    if context.invoked_subcommand is not None:
        return
    # Apprise takes a while to load, which a list of bins need not wait for.
    from ingest.log import configure_log  # noqa: PLC0415
    from ingest.notify.run import run  # noqa: PLC0415
    from ingest.notify.settings import NotifySettings  # noqa: PLC0415

    settings = load(NotifySettings)
    configure_log(settings)
    run(settings)


@notify_app.command("test")
def notify_test() -> None:
    """Send a letter to everybody whom the file of targets names."""
    from ingest.notify.run import send_tests  # noqa: PLC0415 - see above
    from ingest.notify.settings import NotifySettings  # noqa: PLC0415

    results = send_tests(load(NotifySettings))
    if not results:
        raise IngestError("Nobody is named: BRIMWATCH_TARGETS has to name a file with targets (docs/operations.md).")
    for name, error in results:
        typer.echo(f"{name}: {'sent' if error is None else f'not sent: {error}'}")
    if any(error for _, error in results):
        raise IngestError("Not everybody could be reached.")


@notify_app.command("failures")
def notify_failures(limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20) -> None:
    """Show the newest letters that were given up, or failed so far, one a line, tab-separated."""
    with registry_transaction() as connection:
        print_rows(list_failures(connection, limit))


@alerts_app.command("list")
def alerts_list(
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """Show the open alerts, the newest first, one a line, tab-separated."""
    with registry_transaction() as connection:
        print_rows(list_alerts(connection, only_open=not everything, limit=limit))


@alerts_app.command("acknowledge")
def alerts_acknowledge(ids: Annotated[list[int], typer.Argument(metavar="ID...")]) -> None:
    """Say that somebody looks after these alerts: nobody else is told of them any more."""
    with registry_transaction() as connection:
        acknowledge(connection, ids, actor())
    typer.echo(f"{len(set(ids))} acknowledged.")
