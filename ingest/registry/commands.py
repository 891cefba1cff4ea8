"""The commands `bins`, `devices` and `certificates`: they parse, call the registry and print what it did."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.errors import IngestError
from ingest.registry.certificates import init_authority

certificates_app = typer.Typer(no_args_is_help=True, help="Our own certificate authority.")


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turn an expected failure into its sentence on stderr and exit code 1."""
    try:
        yield
    except IngestError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@certificates_app.callback()
def certificates() -> None:
    """Our own certificate authority."""


@certificates_app.command("init")
def certificates_init(
    folder: Annotated[Path, typer.Option("--dir", envvar="BRIMWATCH_CERTIFICATES", help="Folder of the PEM files.")],
    hosts: Annotated[list[str], typer.Option("--host", help="DNS name or IP address of the broker; repeatable.")],
) -> None:
    """Make what is missing: the authority, the broker's certificate and the ingester's three."""
    with plain_failures():
        written = init_authority(folder, hosts, datetime.now(UTC))
    typer.echo(f"{folder}: made {', '.join(written)}." if written else f"{folder}: everything is there already.")
