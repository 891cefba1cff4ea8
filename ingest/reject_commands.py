"""The commands `rejects ...`: they parse, call, and print what was done."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer

from ingest.registry.connection import actor
from ingest.rejects import count_older, print_counts, print_reject, print_rejects, purge
from ingest.replay import replay

rejects_app = typer.Typer(no_args_is_help=True, help="What was refused, and why.")

_Reason = Annotated[str | None, typer.Option("--reason", help="Only what was refused for it (docs/contract.md).")]


@rejects_app.command("list")
def rejects_list(limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20, reason: _Reason = None) -> None:
    """Show the newest refused messages."""
    print_rejects(limit, reason)


@rejects_app.command("count")
def rejects_count() -> None:
    """Show how many were refused for each reason, the first and the last time."""
    print_counts()


@rejects_app.command("show")
def rejects_show(reject_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Show one refused message whole."""
    print_reject(reject_id)


@rejects_app.command("replay")
def rejects_replay(
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...")] = None,
    reason: _Reason = None,
    clock_behind_s: Annotated[
        int,
        typer.Option(
            "--clock-behind",
            metavar="SECONDS",
            min=0,
            max=31_622_400,
            help="How far the server's own clock was behind when they arrived, where that was what was wrong.",
        ),
    ] = 0,
) -> None:
    """Store what can be stored by now, such as after a device was enrolled; the rest stays."""
    result = asyncio.run(replay(reason, ids or [], actor(), clock_behind=timedelta(seconds=clock_behind_s)))
    typer.echo(f"{result.left} replayed, {result.readings} readings stored.")
    if result.kept:
        typer.echo(f"Still refused: {_by_reason(result.kept)}.")


@rejects_app.command("purge")
def rejects_purge(
    older_than: Annotated[int, typer.Option("--older-than", metavar="DAYS", min=0, max=36_500)],
    reason: _Reason = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete old refused messages for good."""
    count, before = count_older(older_than, reason)
    if not count:
        typer.echo("There is nothing to delete.")
        return
    if not yes:
        typer.confirm(f"Delete {count} refused messages from before {before:%Y-%m-%d %H:%M} UTC for good?", abort=True)
    typer.echo(f"{purge(before, reason, actor())} deleted.")


def _by_reason(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
