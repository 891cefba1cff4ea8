"""The commands `rules`: they parse, call the registry and print what it did."""

from typing import Annotated

import typer

from ingest.registry.bin_columns import MAX_AGE_DAYS, STREAMS, THRESHOLD
from ingest.registry.cells import Reader, one_of
from ingest.registry.connection import actor, registry_transaction
from ingest.registry.errors import RegistryError
from ingest.registry.printing import print_rows
from ingest.registry.rules import COLUMNS, Scope, list_rules, set_rule, unset_rule

rules_app = typer.Typer(no_args_is_help=True, help="From when on the bins of a depot, of a stream, or all, are due.")

_Depot = Annotated[str | None, typer.Option(help="For the bins of this depot; with --stream, of both.")]
_Stream = Annotated[str | None, typer.Option(help=f"For the bins of this stream: {', '.join(STREAMS)}.")]
_READERS: dict[str, Reader] = {"threshold": THRESHOLD, "max_age_days": MAX_AGE_DAYS}


@rules_app.command("list")
def rules_list() -> None:
    """Show the rules, the most specific first, tab-separated; a bin's own values come before all of them."""
    with registry_transaction() as connection:
        print_rows(list_rules(connection))


@rules_app.command("set")
def rules_set(
    depot: _Depot = None,
    stream: _Stream = None,
    threshold: Annotated[str | None, typer.Option(help="Due by fullness from this level, 0.05 to 1.")] = None,
    max_age_days: Annotated[str | None, typer.Option(help="Due by age so long after the last emptying.")] = None,
) -> None:
    """Say from when on bins are due; without --depot and --stream, for all bins."""
    given = {"threshold": threshold, "max_age_days": max_age_days}
    values = {name: _number(name, text) for name, text in given.items() if text is not None}
    if not values:
        raise RegistryError("Say what holds: --threshold, --max-age-days or both.")
    scope = _scope(depot, stream)
    with registry_transaction() as connection:
        changed = set_rule(connection, scope, values, actor=actor())
    said = ", ".join(f"{name} {value:g}" for name, value in values.items())
    typer.echo(f"{scope}: {said}{'' if changed else ' already'}.")


@rules_app.command("unset")
def rules_unset(
    *,
    depot: _Depot = None,
    stream: _Stream = None,
    threshold: Annotated[bool, typer.Option("--threshold", help="Only the threshold.")] = False,
    max_age_days: Annotated[bool, typer.Option("--max-age-days", help="Only the maximum age.")] = False,
) -> None:
    """Take a rule away, or a part of it: what is less specific counts again."""
    wanted = {"threshold": threshold, "max_age_days": max_age_days}
    names = [name for name in COLUMNS if wanted[name]] or COLUMNS
    scope = _scope(depot, stream)
    with registry_transaction() as connection:
        if not unset_rule(connection, scope, names, actor=actor()):
            raise RegistryError(f"There is no such rule for {scope}.")
    typer.echo(f"{scope}: {' and '.join(names)} follow what is less specific.")


def _scope(depot: str | None, stream: str | None) -> Scope:
    try:
        return Scope(depot, None if stream is None else str(one_of(STREAMS)("--stream", stream)))
    except ValueError as error:
        raise RegistryError(f"{error}.") from None


def _number(name: str, text: str) -> float:
    try:
        value = _READERS[name](f"--{name.replace('_', '-')}", text)
    except ValueError as error:
        raise RegistryError(f"{error}.") from None
    return float(str(value))
