"""`python -m ingest COMMAND`: the write side's commands. Parses and wires, nothing else."""

import asyncio
import sys
from typing import Annotated

import typer

from ingest.errors import IngestError
from ingest.notify.commands import alerts_app, notify_app
from ingest.registry.bin_commands import areas_app, bins_app, depots_app
from ingest.registry.calendar_commands import calendar_app
from ingest.registry.calibration_commands import calibration_app
from ingest.registry.commands import certificates_app, devices_app
from ingest.registry.configuration_commands import configuration_app
from ingest.registry.rule_commands import rules_app
from ingest.reject_commands import rejects_app

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(bins_app, name="bins")
app.add_typer(depots_app, name="depots")
app.add_typer(areas_app, name="areas")
app.add_typer(rules_app, name="rules")
app.add_typer(calendar_app, name="calendar")
app.add_typer(devices_app, name="devices")
app.add_typer(calibration_app, name="calibration")
app.add_typer(configuration_app, name="configuration")
app.add_typer(certificates_app, name="certificates")
app.add_typer(rejects_app, name="rejects")
app.add_typer(alerts_app, name="alerts")
app.add_typer(notify_app, name="notify")

# What is heavy is imported by the command that needs it: importing a list of bins should not load an MQTT client.


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from ingest.migrate import migrate as bring  # noqa: PLC0415 - see above
    from ingest.settings import MigrateSettings, load  # noqa: PLC0415

    applied = bring(load(MigrateSettings))
    typer.echo(f"Applied {', '.join(applied)}." if applied else "The schema is up to date.")


@app.command()
def serve() -> None:
    """Receive what sensors send, store it, and acknowledge it."""
    from ingest.log import configure_log  # noqa: PLC0415
    from ingest.serve import serve as receive  # noqa: PLC0415
    from ingest.settings import ServeSettings, load  # noqa: PLC0415

    settings = load(ServeSettings)
    configure_log(settings)
    asyncio.run(receive(settings))


@app.command()
def assess(once: Annotated[bool, typer.Option(help="Assess what waits, then end.")] = False) -> None:
    """Turn readings into levels, emptyings and the list of due bins, for as long as it runs."""
    from ingest.assess.store.runner import run  # noqa: PLC0415
    from ingest.log import configure_log  # noqa: PLC0415
    from ingest.settings import LogSettings, load  # noqa: PLC0415

    configure_log(load(LogSettings))
    run(once=once)


def main() -> None:
    """Run the command; an expected failure is one sentence and exit code 1."""
    try:
        app(prog_name="python -m ingest")
    except IngestError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
