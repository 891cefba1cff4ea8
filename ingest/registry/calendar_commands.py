"""The commands `calendar`: they parse, call the registry and print what it did."""

from collections.abc import Container
from datetime import UTC, date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ingest.assess.decisions.calendar import DAYS, Hours, bank_holidays, next_rounds
from ingest.registry.calendars import (
    COUNCIL,
    close_day,
    find_calendar,
    list_closures,
    open_day,
    set_hours,
    unset_hours,
)
from ingest.registry.connection import actor, registry_transaction
from ingest.registry.errors import RegistryError
from ingest.registry.settings import RegistrySettings
from ingest.settings import load

calendar_app = typer.Typer(no_args_is_help=True, help="When rounds are; what waits for the next one is due earlier.")

# So many rounds to come are shown.
SHOWN = 7
_Depot = Annotated[str | None, typer.Option(help="Of this depot; default: of all that have no hours of their own.")]
_Day = Annotated[str, typer.Argument(metavar="DAY", help="Such as 2026-12-25.")]


@calendar_app.command("show")
def calendar_show(depot: _Depot = None) -> None:
    """Show the hours of each day, the days that are closed, and the next rounds."""
    settings = load(RegistrySettings)
    zone, now = ZoneInfo(settings.time_zone), datetime.now(UTC)
    with registry_transaction() as connection:
        calendar = find_calendar(connection, depot, zone, _holidays(settings))
        closures = list_closures(connection, depot, now.astimezone(zone).date())
    for day, hours in zip(DAYS, (*calendar.weekly, calendar.on_holidays), strict=True):
        typer.echo(f"{day}\t{hours or 'no round'}")
    for closed, note in closures:
        typer.echo(f"closed\t{closed}\t{note}".rstrip())
    for one in next_rounds(calendar, now, SHOWN):
        begins, ends = one.begins_at.astimezone(zone), one.ends_at.astimezone(zone)
        typer.echo(f"round\t{begins:%a %Y-%m-%d %H:%M} to {ends:%H:%M}")


@calendar_app.command("set")
def calendar_set(
    *,
    depot: _Depot = None,
    days: Annotated[str, typer.Option(help="Such as mon-fri, sat,sun or holiday (bank holidays).")] = "mon-sun",
    hours: Annotated[str | None, typer.Option(help="Local time, such as 06:00-14:00.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="No round on these days.")] = False,
) -> None:
    """Say when rounds are on some days of the week and on bank holidays; other days stay as they are."""
    if closed == (hours is not None):
        raise RegistryError("Say either --hours or --closed.")
    wanted, round_hours = _days(days), None if hours is None else _hours(hours)
    with registry_transaction() as connection:
        set_hours(connection, depot, wanted, round_hours, actor=actor())
    typer.echo(f"{depot or COUNCIL}: {', '.join(wanted)} {round_hours or 'without a round'}.")


@calendar_app.command("unset")
def calendar_unset(depot: _Depot = None) -> None:
    """Forget the hours of a depot, so that those of all depots hold; without --depot, those of all depots."""
    with registry_transaction() as connection:
        if not unset_hours(connection, depot, actor=actor()):
            raise RegistryError(f"There are no hours of {depot or COUNCIL}.")
    typer.echo(f"{depot or COUNCIL}: hours forgotten.")


@calendar_app.command("close")
def calendar_close(
    day: _Day, depot: _Depot = None, note: Annotated[str, typer.Option(help="Why, for people.")] = ""
) -> None:
    """Have no round begin on a day."""
    closed = _date(day)
    with registry_transaction() as connection:
        changed = close_day(connection, depot, closed, note, actor=actor())
    typer.echo(f"{depot or COUNCIL}: {closed} {'is closed' if changed else 'was closed already'}.")


@calendar_app.command("open")
def calendar_open(day: _Day, depot: _Depot = None) -> None:
    """Take back that a day is closed."""
    opened = _date(day)
    with registry_transaction() as connection:
        if not open_day(connection, depot, opened, actor=actor()):
            raise RegistryError(f"{opened} is not closed for {depot or COUNCIL}.")
    typer.echo(f"{depot or COUNCIL}: {opened} is not closed any more.")


def _holidays(settings: RegistrySettings) -> Container[date]:
    return bank_holidays(settings.holidays)


def _days(text: str) -> list[str]:
    """Read `mon-fri,sun,holiday`; names may be shortened to three letters."""
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        begin, end = _place(first), _place(last or first)
        if begin > end:
            raise RegistryError(f"{part!r} ends before it begins.")
        found.update(range(begin, end + 1))
    return [DAYS[place] for place in sorted(found)]


def _place(name: str) -> int:
    places = [place for place, day in enumerate(DAYS) if len(name) >= 3 and day.startswith(name)]  # noqa: PLR2004
    if not places:
        raise RegistryError(f"{name!r} is no day such as mon, saturday or holiday.")
    return places[0]


def _hours(text: str) -> Hours:
    begins, _, ends = text.partition("-")
    try:
        hours = Hours(time.fromisoformat(begins.strip()), time.fromisoformat(ends.strip()))
    except ValueError:
        raise RegistryError(f"{text!r} are no hours such as 06:00-14:00.") from None
    if hours.begins.tzinfo or hours.ends.tzinfo:
        raise RegistryError(f"{text!r}: hours are local and have no offset.")
    return hours


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RegistryError(f"{text!r} is no day such as 2026-12-25.") from None
