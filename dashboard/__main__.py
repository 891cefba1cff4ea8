"""The read side's commands: serve pages and API, keep users and keys."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn, TypeVar

import psycopg
import typer
from psycopg import AsyncConnection
from rich.console import Console
from rich.table import Table

from dashboard.accounts import keys as key_store
from dashboard.accounts import users as user_store
from dashboard.accounts.passwords import generate_password
from dashboard.database import Connection, reason_of
from dashboard.errors import DashboardError
from dashboard.settings import read_settings

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The read side of Brimwatch: pages and API.")
users = typer.Typer(no_args_is_help=True, help="People who may sign in.")
keys = typer.Typer(no_args_is_help=True, help="Keys for programs that use the API.")
app.add_typer(users, name="users")
app.add_typer(keys, name="keys")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else BRIMWATCH_HTTP_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; else BRIMWATCH_HTTP_PORT.", min=0, max=65535)] = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Serve the API without the pages.")] = False,
    pages_only: Annotated[bool, typer.Option("--pages-only", help="Serve the pages without the API.")] = False,
) -> None:
    """Serve the pages and the API until stopped."""
    if api_only and pages_only:
        raise typer.BadParameter("--api-only and --pages-only exclude each other.")
    # Plotly and Dash take a second to load, which the other commands need not wait for.
    from dashboard.server import run  # noqa: PLC0415

    try:
        settings = read_settings()
        listen = {"http_host": host, "http_port": port}
        given = {name: value for name, value in listen.items() if value is not None}
        run(settings.model_copy(update=given), api=not pages_only, pages=not api_only)
    except (DashboardError, OSError) as error:
        _fail(error)


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Lower case, as typed at sign-in.")],
    role: Annotated[str, typer.Option(help="viewer, manager or admin.")] = "viewer",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
) -> None:
    """Let somebody sign in; without --password-stdin prints a generated password."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else generate_password()
    _ask(lambda conn: user_store.add_user(conn, name, password, role))
    typer.echo(f"{name} may sign in as {role}." if password_stdin else password)


@users.command("list")
def list_users() -> None:
    """List who may sign in."""
    found = _ask(user_store.list_users)
    table = Table("name", "role", "added", "disabled", box=None)
    for user in found:
        table.add_row(user.name, user.role, f"{user.created_at:%Y-%m-%d}", _day(user.disabled_at))
    Console().print(table)


@users.command("disable")
def disable_user(name: Annotated[str, typer.Argument(help="Whom to keep out from now on.")]) -> None:
    """Keep somebody out, signed in or not."""
    _ask(lambda conn: user_store.disable_user(conn, name))
    typer.echo(f"{name} cannot sign in any more.")


@keys.command("add")
def add_key(name: Annotated[str, typer.Argument(help="What the key is for, such as `route engine`.")]) -> None:
    """Make a key and print it, this once."""
    typer.echo(_ask(lambda conn: key_store.add_key(conn, name)))


@keys.command("list")
def list_keys() -> None:
    """List the keys, without their secrets."""
    found = _ask(key_store.list_keys)
    table = Table("name", "made", "last used", "revoked", box=None)
    for key in found:
        table.add_row(key.name, f"{key.created_at:%Y-%m-%d}", _day(key.last_used_at), _day(key.revoked_at))
    Console().print(table)


@keys.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="As it was added.")]) -> None:
    """End a key at once."""
    _ask(lambda conn: key_store.revoke_key(conn, name))
    typer.echo(f"The key {name} is of no use any more.")


def _ask(question: Callable[[Connection], Awaitable[Result]]) -> Result:
    async def ask() -> Result:
        async with await AsyncConnection.connect(autocommit=True, connect_timeout=10) as conn:
            return await question(conn)

    try:
        return asyncio.run(ask())
    except DashboardError as error:
        _fail(error)
    except psycopg.OperationalError as error:
        _fail(f"The database does not answer: {reason_of(error)}.")
    except psycopg.Error as error:
        _fail(f"The database refused: {str(error).strip().splitlines()[0]}. Did `python -m ingest migrate` run?")


def _fail(error: object) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(1)


def _day(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


if __name__ == "__main__":
    app(prog_name="python -m dashboard")
