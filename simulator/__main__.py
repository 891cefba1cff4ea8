"""`python -m simulator`: the world that Brimwatch watches, for developers and for the demo."""

import math
import os
import signal
import sys
import threading
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

# Commands import what they need when they run: until then Ctrl-C would end in a traceback.

Bins = Annotated[int, typer.Option(min=1, max=20_000, help="How many bins the town has.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed and size make the same town.")]


@app.command()
def city(
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write to; made when it is missing.")],
    bins: Bins = 500,
    seed: Seed = 1,
) -> None:
    """Write an invented town: bins.csv and devices.csv for the registry, and its basemap as GeoJSON."""
    from simulator.city import make_city  # noqa: PLC0415 - see above
    from simulator.mapfiles import write_city  # noqa: PLC0415
    from simulator.memory import HISTORY_DAYS  # noqa: PLC0415

    town = make_city(bins, seed)
    # The history that `fleet` brings in starts here.
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(days=HISTORY_DAYS)
    write_city(town, out, fitted_at=since)
    typer.echo(f"{len(town.bins)} bins and {len(town.fitted)} sensors on {len(town.streets)} streets are in {out}.")


@app.command()
def fleet(
    *,
    bundles: Annotated[Path, typer.Option(exists=True, help="Folder made by `python -m ingest devices enrol`.")],
    memory: Annotated[Path, typer.Option(help="File that remembers what was handed over; made when it is missing.")],
    bins: Bins = 500,
    seed: Seed = 1,
    firmware: Annotated[int, typer.Option(min=0, max=500, help="How many run the real firmware.")] = 0,
    boards: Annotated[Path | None, typer.Option(help="Folder for the flash of those; needed for --firmware.")] = None,
    host: Annotated[str, typer.Option(help="Where the broker listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8883,
    every: Annotated[int, typer.Option(min=5, max=3600, help="Seconds between two reports of a device.")] = 60,
    leave_spare: Annotated[bool, typer.Option("--leave-spare", help="Leave one device to others.")] = False,
) -> None:
    """Play the sensors of a town: bring their past in, then report until stopped."""
    if firmware and not boards:
        raise typer.BadParameter("--firmware needs --boards, a folder for the flash of those devices.")
    from simulator.city import make_city  # noqa: PLC0415 - see above
    from simulator.device import BrokerAddress  # noqa: PLC0415
    from simulator.fleet import Plan  # noqa: PLC0415
    from simulator.play import Stage, play  # noqa: PLC0415

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    town = make_city(bins, seed)
    plan = Plan(broker=BrokerAddress(host, port), bundles=bundles, every_s=every)
    play(town, plan, Stage(memory=memory, firmware=firmware, boards=boards, leave_spare=leave_spare), stop)


@app.command()
def load(
    *,
    bundles: Annotated[Path, typer.Option(exists=True, help="Folder made by `python -m ingest devices enrol`.")],
    devices: Annotated[int, typer.Option(min=1, max=1000, help="How many of them report.")] = 10,
    rate: Annotated[float, typer.Option(min=0.1, help="Readings a second, of all together.")] = 100,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 10,
    host: Annotated[str, typer.Option(help="Where the broker listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8883,
) -> None:
    """Put load on broker and ingester, and say how soon readings are acknowledged."""
    found = sorted(path for path in bundles.iterdir() if (path / "device.pem").is_file())
    if len(found) < devices:
        raise typer.BadParameter(f"{bundles} holds {len(found)} devices, not {devices}.")
    from simulator.device import BrokerAddress  # noqa: PLC0415 - see above
    from simulator.load import run_load  # noqa: PLC0415

    try:
        outcome = run_load(BrokerAddress(host, port), found[:devices], rate=rate, seconds=seconds)
    except OSError as error:
        typer.echo(f"No connection to the broker {host}:{port}: {error}.", err=True)
        raise typer.Exit(1) from None
    typer.echo(outcome.sentence())


@app.command()
def evaluate(
    *,
    readings: Annotated[Path | None, typer.Option(help="CSV: bin, measured_at, distance_mm or fill_level.")] = None,
    emptyings: Annotated[Path | None, typer.Option(help="CSV of all known ones: bin, emptied_at.")] = None,
    empty_mm: Annotated[str, typer.Option(help="From the sensor to the empty bin's bottom, or auto.")] = "auto",
    full_mm: Annotated[float | None, typer.Option(min=0, help="From the sensor to a full bin's waste.")] = None,
    level_from: Annotated[float, typer.Option("--from", min=0, max=1, help="Forecasts begin at this level.")] = 0.3,
    level_to: Annotated[float, typer.Option("--to", min=0, max=1, help="And say when this one is reached.")] = 0.8,
    zone: Annotated[str, typer.Option(help="Whose clocks the bins' users live by.")] = "Europe/London",
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="File for the JSON; default: printed.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Without --readings: edinburgh, wyndham or city.")] = None,
    data: Annotated[Path | None, typer.Option(file_okay=False, help="Without --readings: folder with both.")] = None,
) -> None:
    """Say how well emptyings are found and forecasts hold, on any data set (docs/datasets.md).

    Without --readings: on Edinburgh's and Wyndham's data and on an invented town; writes docs/accuracy.md.
    """
    if readings is None and emptyings is not None:
        raise typer.BadParameter("--emptyings needs --readings, the file of what was measured in those bins.")
    if readings is not None and (only or data):
        raise typer.BadParameter("--only and --data are for evaluating without --readings.")
    if readings is None:
        from simulator.evaluate.command import run_parts  # noqa: PLC0415 - see above
        from simulator.evaluate.parts import DATA, PARTS  # noqa: PLC0415

        if strange := set(only or ()) - PARTS.keys():
            raise typer.BadParameter(f"--only takes {', '.join(PARTS)}, not {', '.join(sorted(strange))}.")
        sys.exit(run_parts(only or (), data or DATA, **({} if out is None else {"out": out})))
    from simulator.evaluate.command import run_dataset  # noqa: PLC0415 - see above
    from simulator.evaluate.dataset import Request  # noqa: PLC0415

    if level_from >= level_to:
        raise typer.BadParameter(f"--from {level_from:g} has to be less than --to {level_to:g}.")
    request = Request(readings, emptyings, _millimetres(empty_mm), full_mm, level_from, level_to, _zone(zone))
    sys.exit(run_dataset(request, out))


@app.command()
def shadow(
    *,
    readings: Annotated[Path, typer.Option(help="CSV: bin, measured_at, distance_mm or fill_level.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the outcome; made when it is missing.")],
    rounds: Annotated[str, typer.Option(help="CSV of the present visits: bin, visited_at; or daily.")] = "daily",
    bins: Annotated[Path | None, typer.Option(help="CSV: ref, longitude, latitude, maybe depot.")] = None,
    depots: Annotated[Path | None, typer.Option(help="CSV: ref, longitude, latitude.")] = None,
    matrix: Annotated[Path | None, typer.Option(help="CSV: from, to, metres.")] = None,
    factor: Annotated[float, typer.Option(min=1, max=3, help="How much longer roads are than straight lines.")] = 1.4,
    empty_mm: Annotated[str, typer.Option(help="From the sensor to the empty bin's bottom, or auto.")] = "auto",
    full_mm: Annotated[float | None, typer.Option(min=0, help="From the sensor to a full bin's waste.")] = None,
    at: Annotated[list[str], typer.Option(help="When a list is made, local time; may be given twice.")] = ["06:00"],  # noqa: B006 - typer copies it
    zone: Annotated[str, typer.Option(help="The council's time zone.")] = "Europe/London",
) -> None:
    """Replay a council's own readings: its present rounds beside our due list (docs/datasets.md)."""
    if bins is None and (depots or matrix):
        raise typer.BadParameter("--depots and --matrix need --bins, which says where the bins are.")
    from simulator.shadow.command import run_shadow  # noqa: PLC0415 - see above
    from simulator.shadow.replay import Request  # noqa: PLC0415

    request = Request(
        readings=readings,
        rounds=None if rounds == "daily" else Path(rounds),
        bins=bins,
        depots=depots,
        matrix=matrix,
        factor=factor,
        empty_mm=_millimetres(empty_mm),
        full_mm=full_mm,
        clocks=tuple(sorted(_clock(text) for text in at)),
        zone=_zone(zone),
    )
    sys.exit(run_shadow(request, out))


@app.command()
def demo(
    data: Annotated[Path | None, typer.Option(help="Folder for all its data; default: one for each size.")] = None,
    out: Annotated[Path | None, typer.Option(help="File that says where everything is.")] = None,
) -> None:
    """Start everything, with a town of invented bins, and keep it running: `make demo`."""
    from simulator.stack.ending import Ended, ending_by_signal  # noqa: PLC0415 - see above

    try:
        with ending_by_signal():
            from simulator.stack.demo import main  # noqa: PLC0415

            code = main(os.environ, data, out)
    except Ended as ended:
        code = ended.code
    sys.exit(code)


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no time of day; write it such as 06:00.") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise typer.BadParameter(f"There is no time zone '{name}'; write it such as Europe/London.") from None


def _millimetres(text: str) -> float | None:
    """Read a length that may be `auto`, which is None."""
    if text == "auto":
        return None
    try:
        length_mm = float(text)
    except ValueError:
        length_mm = math.nan
    if not math.isfinite(length_mm):
        raise typer.BadParameter(f"--empty-mm is a number of millimetres or auto, not '{text}'.")
    return length_mm


if __name__ == "__main__":
    app(prog_name="python -m simulator")
